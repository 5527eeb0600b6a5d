"""A million votes become answers: Dawid-Skene and the tie-aware Bradley-Terry, seconds and peak memory on one core.

Dawid-Skene has 200,000 items with five votes each of 2,000 annotators, Bradley-Terry 100,000 prompts with four
responses and 600,000 comparisons; the votes come in order of comparison, as a run reads them. Each fit has a process of
its own, so that the peak is its own: memory above what it held with the votes. Beside Dawid-Skene stands crowd-kit's on
the same votes. Then the rest of a run: the same million votes read from PostgreSQL, and the consensus written back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workers.engine.aggregation.bradley_terry import Duels
    from workers.engine.aggregation.votes import Votes

ROOT = Path(__file__).resolve().parents[1]
BUDGET_SECONDS = 10.0
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def crowd(items: int, each: int = 5, annotators: int = 2000) -> tuple[Votes, np.ndarray[Any, Any]]:
    """Three answers; everybody errs toward either other, one time in twenty to one in two."""
    from workers.engine.aggregation.votes import Votes

    rng = np.random.default_rng(0)
    truth = rng.choice(3, size=items, p=[0.45, 0.1, 0.45])
    item, annotator = np.repeat(np.arange(items), each), rng.integers(annotators, size=items * each)
    right = rng.random(len(item)) < rng.uniform(0.5, 0.95, annotators)[annotator]
    wrong = (truth[item] + rng.integers(1, 3, size=len(item))) % 3
    return Votes(item, annotator, np.where(right, truth[item], wrong), items, annotators, 3), truth


def contest(prompts: int, votes: int, annotators: int = 2000) -> tuple[Duels, np.ndarray[Any, Any]]:
    """Four responses a prompt; a fifth of the annotators mostly guess, and most lean to what is first."""
    from workers.engine.aggregation.bradley_terry import Duels

    rng = np.random.default_rng(0)
    strength = rng.normal(0, 1.5, size=prompts * 4)
    i, j = np.triu_indices(4, 1)
    a, b = ((np.arange(prompts)[:, None] * 4 + side).ravel() for side in (i, j))
    # Every comparison once, the rest by chance.
    pair = np.sort(np.append(np.arange(len(a)), rng.integers(len(a), size=votes - len(a))))
    annotator, first = rng.integers(annotators, size=votes), rng.choice([-1, 1], size=votes)
    eta = (strength[b] - strength[a])[pair] - rng.normal(0.3, 0.3, annotators)[annotator] * first
    weights = np.exp(np.stack([-eta / 2, np.full(votes, -0.7), eta / 2], axis=1))
    drawn = ((weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1) < rng.random(votes)[:, None]).sum(axis=1) - 1
    looked = rng.random(votes) < np.where(np.arange(annotators) % 5 == 0, 0.2, 0.95)[annotator]
    answer = np.where(looked, drawn, rng.integers(-1, 2, size=votes))
    return Duels(pair, annotator, answer, first, a, b, annotators, prompts * 4), strength[b] - strength[a]


def dawid_skene(items: int) -> str:
    from workers.engine.aggregation import dawid_skene

    votes, truth = crowd(items)
    by_counting = float(np.mean(votes.shares.argmax(axis=1) == truth))
    seconds, memory, fit = _timed(lambda: dawid_skene.fit(votes))
    return _line(
        f"Dawid-Skene, {len(votes):,} votes", seconds, memory,
        f"{len(fit.log_likelihood)} rounds; right {np.mean(fit.label == truth):.4f}, most votes {by_counting:.4f}",
    )  # fmt: skip


def bradley_terry(prompts: int) -> str:
    from workers.engine.aggregation import bradley_terry

    duels, gap = contest(prompts, votes=prompts * 10)
    seconds, memory, fit = _timed(lambda: bradley_terry.fit(duels))
    return _line(
        f"Bradley-Terry, {len(duels):,} votes on {len(gap):,} pairs", seconds, memory,
        f"{len(fit.log_likelihood)} rounds; sign right {np.mean(np.sign(fit.gap) == np.sign(gap)):.4f}",
    )  # fmt: skip


def crowd_kit(items: int) -> str:
    import warnings

    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    warnings.filterwarnings("ignore")
    votes, truth = crowd(items)
    table = pd.DataFrame({"task": votes.item, "worker": votes.annotator, "label": votes.answer})
    model = DawidSkene(n_iter=100, tol=1e-5)
    seconds, memory, labels = _timed(lambda: model.fit_predict(table))
    right = np.mean(labels.sort_index().to_numpy() == truth)
    return _line(
        f"crowd-kit's DawidSkene, {len(votes):,} votes", seconds, memory,
        f"{len(model.loss_history_)} rounds; right {right:.4f}",
    )  # fmt: skip


CASES = {
    "dawid_skene": (dawid_skene, (20_000, 200_000)),
    "crowd_kit": (crowd_kit, (20_000, 200_000)),
    "bradley_terry": (bradley_terry, (10_000, 100_000)),
}


def _timed(work: Any) -> tuple[float, float, Any]:
    """Seconds of this process on one core, and the peak of its memory above what it held before, in MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    started = time.process_time()
    made = work()
    return time.process_time() - started, _status("VmHWM") - before, made


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _line(what: str, seconds: float, memory: float, more: str) -> str:
    return f"{what}: {seconds:.1f} s of one core, {memory:,.0f} MiB above the votes; {more}"


def whole_fit(comparisons: int) -> None:
    """From rows to rows: what a worker does for a Dawid-Skene fit of five votes on each comparison."""
    from benchmarks.bed import make_bed

    make_bed()
    campaign = _campaign(comparisons)

    from curation.handoff.votes import read_votes
    from ledger.models import Run, Shard
    from workers.engine.bench import Bench
    from workers.feeds import votes as feed
    from workers.methods import consensus
    from workers.methods._base import Ballot

    run = Run.objects.create(project=campaign.project, kind="consensus", method="consensus", queue="cpu")
    shard = Shard(run=run, position=0, scope={"campaign": campaign.pk, "method": "dawid_skene"})
    started = time.perf_counter()
    ballot = Ballot(**vars(read_votes(campaign)))
    read = time.perf_counter()
    outcome = consensus.run(ballot, consensus.Params(campaign=campaign.pk), Bench(cache=ROOT / "var"))
    fitted = time.perf_counter()
    feed.write(run, shard, outcome)
    written = time.perf_counter()
    print(
        f"A whole fit, {len(ballot):,} votes: read {read - started:.1f} s, fitted and judged {fitted - read:.1f} s,"
        f" {len(outcome.verdicts):,} consensus rows written {written - fitted:.1f} s"
    )


def _campaign(comparisons: int) -> Any:
    from django.db import connection

    from accounts.models import Project
    from annotation.models import Campaign
    from corpus.models import Source

    project = Project.objects.create(slug="bench-aggregation", name="Bench")
    source = Source.objects.create(project=project, name="bench", format="generic")
    campaign = Campaign.objects.create(project=project, name="Bench", kind="pairwise", overlap=5)
    names = {"rows": comparisons, "project": project.pk, "source": source.pk, "campaign": campaign.pk}
    with connection.cursor() as cursor:
        for statement in _SEED:
            cursor.execute(statement, names)
    return campaign


# A vote is right four times in five; the better response is the one with the even comparison id's b.
_SEED = (
    "INSERT INTO accounts_user (password, is_superuser, email, name, is_active, is_staff, is_simulated, is_imported,"
    " date_joined) SELECT '', false, 'person-' || g || '@aggregation.example', '', false, false, true, false, now()"
    " FROM generate_series(0, 1999) g",
    "INSERT INTO corpus_prompt (project_id, messages, content_hash, metadata) SELECT %(project)s, '[]',"
    " sha256(('aggregation' || g)::bytea), '{}' FROM generate_series(1, %(rows)s) g",
    "INSERT INTO corpus_response (prompt_id, content, generator, content_hash) SELECT p.id, side || p.id, '',"
    " sha256((side || p.id)::bytea) FROM corpus_prompt p, unnest(ARRAY['a', 'b']) side"
    " WHERE p.project_id = %(project)s ORDER BY p.id",
    "INSERT INTO corpus_comparison (project_id, source_id, prompt_id, response_a_id, response_b_id, labels,"
    " row_number, external_id, metadata) SELECT %(project)s, %(source)s, prompt_id, min(r.id), max(r.id), '{}',"
    " prompt_id, '', '{}' FROM corpus_response r JOIN corpus_prompt p ON p.id = prompt_id"
    " AND project_id = %(project)s GROUP BY prompt_id ORDER BY prompt_id",
    "INSERT INTO annotation_task (campaign_id, comparison_id, priority, cap, slots_a_first, slots_b_first, judged)"
    " SELECT %(campaign)s, id, 0, 5, 3, 2, 5 FROM corpus_comparison WHERE project_id = %(project)s ORDER BY id",
    "INSERT INTO annotation_assignment (task_id, campaign_id, annotator_id, state, purpose, order_shown, is_b_first,"
    " claimed_at, lease_expires_at, skip_reason) SELECT t.id, %(campaign)s,"
    " (SELECT min(id) FROM accounts_user WHERE email = 'person-0@aggregation.example') + (t.id * 7 + g * 401) %% 2000,"
    " 'submitted', 'work', ARRAY[c.response_a_id, c.response_b_id], false, now(), now(), ''"
    " FROM annotation_task t JOIN corpus_comparison c ON c.id = t.comparison_id, generate_series(1, 5) g"
    " WHERE t.campaign_id = %(campaign)s ORDER BY t.id",
    "INSERT INTO annotation_judgment (campaign_id, comparison_id, assignment_id, annotator_id, kind, purpose, payload,"
    " choice, is_both_bad, order_shown, created_at) SELECT %(campaign)s, t.comparison_id, s.id, s.annotator_id,"
    " 'pairwise', 'work', '{}', (CASE WHEN t.id %% 2 = 0 THEN 1 ELSE -1 END)"
    " * (CASE WHEN abs(hashint8(s.id)) %% 5 = 0 THEN -1 ELSE 2 END), false, s.order_shown, now()"
    " FROM annotation_assignment s JOIN annotation_task t ON t.id = s.task_id WHERE s.campaign_id = %(campaign)s"
    " ORDER BY s.id",
    "ANALYZE",
)


def main() -> None:
    for name, (_, sizes) in CASES.items():
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.aggregation", name, str(size)]
            done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_CORE, capture_output=True, text=True)
            print(done.stdout.strip() or f"{name} of {size:,} failed: {done.stderr.strip()[-500:]}", flush=True)
    print(f"(target: a million votes in under {BUDGET_SECONDS:.0f} s)")
    whole_fit(200_000)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    print(CASES[sys.argv[1]][0](int(sys.argv[2])))
