"""The closed loop from a run's row to a campaign's order, and kill -9 at the two places where it could be lost."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client

from accounts.models import AuditEvent, Project, User
from annotation.campaigns.create import create_campaign
from annotation.campaigns.ordering import change_reorder_every
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, Task
from corpus.models import Comparison
from curation.decide import decide
from curation.handoff.told import came_unlabelled, read_checks, read_told
from curation.models import Action, Signal
from ledger import catalogue
from ledger.models import Run, RunKind, Shard, State
from ledger.sweep import free_shards
from tests.workers.conftest import run_here
from workers import tasks
from workers.discover import card_of, methods
from workers.engine.texts.embeddings import model_folder, revision
from workers.engine.texts.store import keep, open_store

ROOT = Path(__file__).resolve().parents[2]
FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def campaign(project: Project, fill_corpus: FillCorpus, tmp_path: Path) -> Campaign:
    """Forty comparisons; their embeddings, made up, are in the cache, so that no model has to be loaded."""
    fill_corpus(40)
    rows = Comparison.objects.select_related("prompt", "response_a", "response_b")
    texts = {row.prompt.messages[-1]["content"] for row in rows}
    texts |= {response.content for row in rows for response in (row.response_a, row.response_b)}
    path = tmp_path / "cache" / "embeddings" / f"{revision(model_folder('minilm'))[:16]}.sqlite"
    with closing(open_store(path)) as store:
        keep(store, {hashlib.sha256(text.encode()).digest(): (_vector(text), False) for text in texts})
    return create_campaign(project=project, name="First look", overlap=1)


def _vector(text: str) -> bytes:
    noise = np.random.default_rng(len(text)).normal(size=384) + 3.0 * text.endswith("indeed")
    return (noise / np.linalg.norm(noise)).astype(np.float16).tobytes()


def _places(run: Run) -> list[int]:
    placed = Signal.objects.filter(run=run, fields__place__isnull=False).exclude(fields__place=None)
    return [signal.comparison_id for signal in sorted(placed, key=lambda signal: signal.fields["place"])]


def _order(campaign: Campaign) -> list[int | None]:
    held = Task.objects.filter(campaign=campaign, judged=0).order_by("-priority", "id")
    return list(held.values_list("comparison_id", flat=True))


def _answer(campaign: Campaign, person: User, choice: int) -> int:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None and item.comparison_id is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": choice}, with_next=False)
    return item.comparison_id


def test_a_run_orders_the_open_tasks_and_later_answers_change_the_order(
    campaign: Campaign, project: Project, annotator: User
) -> None:
    wrong = list(Comparison.objects.order_by("id").values_list("id", "label"))[::8]
    for number, label in wrong:
        Comparison.objects.filter(id=number).update(label=-(label or 0), labels=[-(label or 0)])
    run = run_here(project, "next_to_annotate", campaign=campaign.pk, random_share=0.0)
    assert (run.error, run.state) == ("", State.DONE)
    first = _order(campaign)
    assert first == _places(run) and len(first) == 40
    assert {number for number, _ in wrong} == set(first[:5])
    assert run.result["reordered"] == 39  # the first keeps its 0
    campaign.refresh_from_db()
    assert campaign.order_run == run
    asked = [_answer(campaign, annotator, -1) for _ in range(3)]
    assert asked == first[:3]
    again = run_here(project, "next_to_annotate", campaign=campaign.pk)
    assert (again.state, again.result["answered"], again.result["random"]) == (State.DONE, 3, 3)
    assert len(_places(again)) == 37 and not set(asked) & set(_places(again))
    assert _order(campaign) == _places(again)


def test_beat_starts_a_fresh_run_after_so_many_judgments(campaign: Campaign, annotator: User, curator: User) -> None:
    card = card_of("next_to_annotate", methods()["next_to_annotate"])
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[card])
    change_reorder_every(campaign=campaign, reorder_every=2, by=curator)
    _answer(campaign, annotator, 1)
    tasks.reorder_campaigns.apply()
    assert not Run.objects.exists()
    _answer(campaign, annotator, 1)
    for _ in range(2):
        tasks.reorder_campaigns.apply()
    run = Run.objects.get()
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert (run.state, run.result["answered"], _order(campaign)) == (State.DONE, 2, _places(run))
    assert AuditEvent.objects.get(action="order tasks by run").actor is None


@pytest.mark.parametrize("is_prompts", [True, False])
def test_a_campaign_that_cannot_be_ordered_is_a_sentence(
    project: Project, campaign: Campaign, is_prompts: bool
) -> None:
    number = create_campaign(project=project, name="Ranking", kind="ranking").pk if is_prompts else 10**6
    run = run_here(project, "next_to_annotate", campaign=number)
    assert run.state == State.FAILED
    assert ("a prompt at a time" if is_prompts else "no campaign 1000000") in run.error


def test_the_pages_of_both_runs_tell_what_they_found(
    campaign: Campaign, project: Project, client: Client, curator: User, stranger: User
) -> None:
    ordered = run_here(project, "next_to_annotate", campaign=campaign.pk)
    reviewed = run_here(project, "peer_review", pairs=1)
    words = {ordered: "open tasks in another place now", reviewed: "What each keeps for itself"}
    examples = {ordered: "Where a minute is worth most", reviewed: "Labels that are kept least often"}
    for run in (ordered, reviewed):
        assert (run.error, run.state) == ("", State.DONE)
        client.force_login(curator)
        assert words[run] in client.get(f"/p/demo/runs/{run.pk}/").content.decode()
        assert examples[run] in client.get(f"/p/demo/runs/{run.pk}/examples/").content.decode()
        client.force_login(stranger)
        assert client.get(f"/p/demo/runs/{run.pk}/").status_code == 404


def test_what_curators_decided_and_what_models_said_is_read(
    campaign: Campaign, project: Project, curator: User, annotator: User
) -> None:
    assert read_told(project, "model_vote") is None
    comparison = Comparison.objects.order_by("id")[0]
    vote = Run.objects.create(
        project=project, kind=RunKind.METHOD, method="model_vote", queue="cpu", state=State.DONE, params={}
    )
    Signal.objects.create(run=vote, comparison=comparison, value=0.5, fields={"mean": 0.5, "spread": 0.1})
    told = read_told(project, "model_vote")
    assert told is not None and not told.is_older
    assert told.fields == {comparison.pk: {"mean": 0.5, "spread": 0.1}}
    decide(project=project, author=curator, comparison_ids=[comparison.pk], action=Action.FLIP, reason="seen")
    assert came_unlabelled(project).tolist() == []
    (check,) = read_checks(project)
    assert (check.comparison_id, check.imported, check.is_final) == (comparison.pk, comparison.label, True)
    assert check.label == -(comparison.label or 0)
    told = read_told(project, "model_vote")
    assert told is not None and told.is_older


KILLED = """
import os, signal, sys
import django
django.setup()
from workers import tasks
import curation.handoff.order as order
import ledger.shards as shards
from workers.feeds import comparisons

def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before the commit":
    whole = comparisons.write_order
    comparisons.write_order = lambda *given: (whole(*given), die())
else:
    shards.conclude = die
tasks.run_method.apply(kwargs={"run_id": int(sys.argv[1])})
"""


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_kill_9_between_order_and_done_loses_neither(
    campaign: Campaign, project: Project, tmp_path: Path, when: str
) -> None:
    before = _order(campaign)
    params = {"campaign": campaign.pk, "seed": 7}
    run = Run.objects.create(
        project=project, kind=RunKind.METHOD, method="next_to_annotate", queue="cpu", params=params
    )
    assert _in_a_process(KILLED, str(run.pk), when, home=tmp_path).returncode == -signal.SIGKILL
    run.refresh_from_db()
    is_written = when == "after the commit"
    assert run.state == State.RUNNING
    assert Shard.objects.filter(run=run, stage=1, state=State.DONE).exists() == is_written
    assert Signal.objects.filter(run=run).count() == (40 if is_written else 0)
    assert (_order(campaign) == before) != is_written
    assert AuditEvent.objects.filter(action="order tasks by run").count() == is_written
    # As the sweep does once the lease has run out.
    free_shards(Q(run=run))
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert (run.state, run.error) == (State.DONE, "")
    assert _order(campaign) == _places(run)
    assert Signal.objects.filter(run=run).count() == 40
    assert AuditEvent.objects.filter(action="order tasks by run").count() == 1


def _in_a_process(code: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[bytes]:
    database: dict[str, Any] = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']))}"
    environment = os.environ | {
        "DATABASE_URL": address,
        "REDIS_URL": "redis+socket:///nowhere",
        "WINNOW_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "winnow.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
    }
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, env=environment, timeout=120, check=False)
