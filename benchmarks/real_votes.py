"""Published votes through the real importer, and the known figures read back from PostgreSQL.

python -m benchmarks real_votes            # ../shared/data beside the checkout, or WINNOW_REAL_DATA
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bed import make_bed

if TYPE_CHECKING:
    from accounts.models import Project
    from annotation.models import Campaign
    from annotation.statistics.estimates import Estimate

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
FILES = {
    "UKPConvArg1": [DATA / "ukpconvarg1" / "arguments.jsonl.gz", DATA / "ukpconvarg1" / "pairs.jsonl.gz"],
    "PandaLM": [DATA / "pandalm" / "testset-v1.json"],
}
KNOWN = {"UKPConvArg1": 0.2668, "PandaLM": 0.864}
# The Cohen kappas of annotators 1 and 2, 1 and 3, 2 and 3.
KNOWN_COHEN = (0.852, 0.879, 0.862)
GOLDS = {"a1": -1, "equal": 0, "a2": 1}
KNOWN_UNANIMOUS, KNOWN_MAJORITY = 0.195, 0.891


def main() -> None:
    if not all(path.is_file() for paths in FILES.values() for path in paths):
        print(f"Nothing to do: there is no {DATA}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    make_bed()
    from accounts.models import Project

    project = Project.objects.create(slug="real-votes", name="Published votes")
    for name, paths in FILES.items():
        for repeats in ("apart", "together"):
            _import(project, name, paths, repeats)
    _ukp(project)
    _pandalm(project)
    _dawid_skene(project)
    _export(project)


def bring(project: Project, name: str, paths: list[Path], repeats: str) -> dict[str, Any]:
    """Into a source and a campaign named after the data set and how its repeated pairs are taken."""
    from annotation.votes.ingest import VoteOptions, ingest_votes
    from corpus.ingest import local_file
    from ledger.reporter import Reporter

    return ingest_votes(
        project=project,
        files=[local_file(path) for path in paths],
        options=VoteOptions(campaign=f"{name}, {repeats}", source=f"{name}, {repeats}", repeats=repeats),
        by=None,
        reporter=Reporter(),
        rejects_name=f"imports/{name} {repeats}/rejects.jsonl",
    )


def campaign_named(project: Project, name: str) -> Campaign:
    from annotation.models import Campaign

    return Campaign.objects.get(project=project, name=name)


def file_answers(campaign: Campaign) -> list[tuple[int, str, int]]:
    """(comparison, annotator, choice), the choice toward the file's own first and second side."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_FILE_ANSWERS, [campaign.pk])
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]


def alpha_of_file(campaign: Campaign) -> Estimate:
    """Nominal, on the sides as the file names them: response_a is another side in half of the items."""
    from annotation.statistics.alpha import krippendorff_alpha
    from annotation.statistics.patterns import patterns_of

    items: dict[int, list[int]] = {}
    for comparison, _, choice in file_answers(campaign):
        items.setdefault(comparison, []).append(choice)
    return krippendorff_alpha(patterns_of(items.values()), "nominal")


def cohen_of_file(campaign: Campaign) -> list[Estimate]:
    """Of annotators 1 and 2, 1 and 3, 2 and 3."""
    import numpy as np

    from annotation.statistics.cohen import cohen_kappas

    answers = file_answers(campaign)
    columns = [[row[0] for row in answers], [int(row[1].rsplit(" ", 1)[1]) for row in answers]]
    items, people = (np.array(column, dtype=np.int64) for column in columns)
    found = cohen_kappas(items, people, np.array([row[2] for row in answers], dtype=np.float64))
    return [pair.kappa for pair in sorted(found.pairs, key=lambda pair: (pair.first, pair.second))]


@dataclass(frozen=True)
class Agreed:
    unanimous: float
    n_items: int
    # Of the items with a gold label, a tie of the votes shared among its answers.
    right: float
    n_golds: int


def agreed_with_gold(campaign: Campaign) -> Agreed:
    """How often all say the same, and how often the majority says what the origin's gold label says."""
    from annotation.models import Consensus

    unanimous = items = golds = 0
    right = 0.0
    found = Consensus.objects.filter(campaign=campaign, method="majority").order_by("id")
    columns = ("posterior", "comparison__label", "comparison__metadata__goldLabel")
    for posterior, label, gold in found.values_list(*columns).iterator():
        leaders = [answer for answer, share in posterior.items() if share == max(posterior.values())]
        items += 1
        unanimous += len(posterior) == 1
        if label is None and gold:
            # Both sides have the same text, so that the pair has no label; its sides are as the file has them.
            label = GOLDS[gold]
        if label is not None:
            golds += 1
            right += ("a" if label < 0 else "b" if label > 0 else "tie") in leaders and 1 / len(leaders)
    return Agreed(unanimous / items, items, right / golds, golds)


@dataclass(frozen=True)
class Competence:
    """Dawid-Skene's reliability of annotators beside the origin's competence."""

    spearman: float
    n: int


def competence(campaign: Campaign, *, least: int = 1) -> Competence:
    """Over annotators with at least so many votes."""
    import numpy as np
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_COMPETENCE, [campaign.pk, campaign.pk, least])
        found = np.array(cursor.fetchall(), dtype=np.float64)
    ranks = [_ranks(found[:, column]) for column in (0, 1)]
    return Competence(float(np.corrcoef(*ranks)[0, 1]), len(found))


def _ranks(values: Any) -> Any:
    """Equal values share their mean rank."""
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places]


def fit(campaign: Campaign, model: str) -> float:
    """The run that a worker would carry out, carried out here; its seconds."""
    from ledger.execute import execute_job
    from ledger.models import Run, RunKind, State
    from workers.runner import job_of

    run = Run.objects.create(
        project=campaign.project,
        kind=RunKind.CONSENSUS,
        method="consensus",
        queue="cpu",
        params={"campaign": campaign.pk, "model": model},
    )
    started = time.perf_counter()
    execute_job(run.pk, job_of(run), owner="benchmark")
    run.refresh_from_db()
    if run.state != State.DONE:
        raise SystemExit(run.error)
    return time.perf_counter() - started


def _import(project: Project, name: str, paths: list[Path], repeats: str) -> None:
    from benchmarks.import_rows import PeakMemory

    with PeakMemory() as memory:
        result = bring(project, name, paths, repeats)
    again = bring(project, name, paths, repeats)
    print(
        f"{name}, repeated pairs {repeats}: {result['accepted']:,} votes on {result['comparisons']:,} comparisons by "
        f"{result['annotators']:,} people, {result['rejected']:,} refused; {result['votes_per_second']:,} votes/s "
        f"(target 5,000), {memory.above_idle / 2**20:.0f} MiB above idle; again: {again['accepted']:,} new"
    )


def _ukp(project: Project) -> None:
    from annotation.statistics.agreement import campaign_agreement

    apart = campaign_named(project, "UKPConvArg1, apart")
    together = campaign_named(project, "UKPConvArg1, together")
    agreed = agreed_with_gold(apart)
    _line("UKPConvArg1 nominal alpha, items and sides of the file", alpha_of_file(apart), KNOWN["UKPConvArg1"])
    _line("  the same items, sides by hash (as pages show it)", campaign_agreement(apart).alpha_nominal)
    _line("  comparisons, repeated pairs together", campaign_agreement(together).alpha_nominal)
    print(f"  unanimous {agreed.unanimous:.3f} of {agreed.n_items:,} (known {KNOWN_UNANIMOUS})")
    print(f"  majority right {agreed.right:.3f} of {agreed.n_golds:,} golds, ties shared (known {KNOWN_MAJORITY})")


def _pandalm(project: Project) -> None:
    from annotation.statistics.agreement import campaign_agreement

    apart = campaign_named(project, "PandaLM, apart")
    _line("PandaLM nominal alpha, items and sides of the file", alpha_of_file(apart), KNOWN["PandaLM"])
    _line("  the same items, sides by hash", campaign_agreement(apart).alpha_nominal)
    together = campaign_named(project, "PandaLM, together")
    _line("  comparisons, repeated pairs together", campaign_agreement(together).alpha_nominal)
    for kappa, known in zip(cohen_of_file(apart), KNOWN_COHEN, strict=True):
        _line("  Cohen's kappa of two annotators", kappa, known)


def _dawid_skene(project: Project) -> None:
    campaign = campaign_named(project, "UKPConvArg1, apart")
    seconds = fit(campaign, "dawid_skene")
    for least in (1, 10):
        found = competence(campaign, least=least)
        print(
            f"Dawid-Skene: Spearman {found.spearman:.2f} with the origin's competence, {found.n:,} people with "
            f"{least} votes or more (about .7 was seen on the whole corpus); {seconds:.1f} s"
        )


def _export(project: Project) -> None:
    from annotation.votes.export import VotesExport
    from benchmarks.import_rows import PeakMemory

    campaign = campaign_named(project, "UKPConvArg1, apart")
    votes = campaign.judgments.count()
    for extension in ("jsonl", "csv"):
        for has_texts in (False, True):
            started = time.perf_counter()
            with PeakMemory() as memory:
                size = sum(map(len, VotesExport(campaign, extension, has_texts=has_texts).stream()))
            seconds = time.perf_counter() - started
            print(
                f"raw votes as {extension}{' with texts' if has_texts else '':11}  {votes / seconds:8,.0f} votes/s, "
                f"{size / 2**20:.0f} MiB, {memory.above_idle / 2**20:.0f} MiB above idle"
            )


def _line(what: str, found: Estimate, known: float | None = None) -> None:
    told = f" (known {known})" if known is not None else ""
    print(f"{what:<56} {found.value:.4f}, {found.low:.4f} to {found.high:.4f}, n = {found.n_items:,}{told}")


_FILE_ANSWERS = """
SELECT j.comparison_id, u.name, CASE WHEN j.payload->'imported'->>'first' = 'b' THEN -j.choice ELSE j.choice END
FROM annotation_judgment j JOIN accounts_user u ON u.id = j.annotator_id
WHERE j.campaign_id = %s AND j.superseded_by_id IS NULL AND j.purpose = 'work'
ORDER BY j.comparison_id, u.name
"""
_COMPETENCE = """
SELECT r.value, told.competence
FROM annotation_annotatorreliability r
JOIN (
    SELECT annotator_id, avg((payload->'imported'->>'turkCompetence')::float8) AS competence, count(*) AS votes
    FROM annotation_judgment WHERE campaign_id = %s GROUP BY annotator_id
) told ON told.annotator_id = r.annotator_id
WHERE r.campaign_id = %s AND r.method = 'dawid_skene' AND r.value IS NOT NULL AND told.votes >= %s
ORDER BY r.annotator_id
"""
