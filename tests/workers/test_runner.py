"""A method run from its row to its signals, in this process, with a corpus in the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Project
from curation.models import Signal
from ledger import catalogue
from ledger.models import Run, RunKind, State
from tests.workers.conftest import run_here
from workers import boot, tasks
from workers.discover import card_of, code_version, methods
from workers.methods import near_duplicates

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_vote_gives_every_comparison_one_signal_per_source(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(30, source="one")
    fill_corpus(5, source="two")
    run = run_here(project, "model_vote", heads=3, folds=3)
    assert run.error == ""
    assert run.state == State.DONE
    assert Signal.objects.filter(run=run).count() == 35
    one, two = (run.result["sources"][key] for key in sorted(run.result["sources"], key=int))
    assert (one["name"], one["n"]) == ("one", 30)
    assert "Too little to learn from" in two["problem"]
    assert run.result["model"]["sha256"].startswith("53aa5117")
    assert run.code_version == code_version()
    assert run.done_items == run.total_items


def test_an_unknown_field_in_a_message_is_ignored(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(3)
    run = Run.objects.create(
        project=project, kind=RunKind.METHOD, method="near_duplicates", queue="cpu", params={"threshold": 1.0}
    )
    tasks.run_method.apply(kwargs={"run_id": run.id, "from_the_future": 1})
    run.refresh_from_db()
    assert run.state == State.DONE


def test_a_missing_model_fails_the_run_with_a_sentence(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(3)
    run = run_here(project, "model_vote", model="/nowhere")
    assert run.state == State.FAILED
    assert "There is no model in '/nowhere'" in run.error
    assert not run.shards.exists()


def test_a_project_without_comparisons_is_a_sentence(project: Project) -> None:
    assert "no comparisons yet" in run_here(project, "near_duplicates").error


def test_a_worker_without_the_method_says_so(project: Project) -> None:
    assert "This worker has no method 'divination'" in run_here(project, "divination").error


def test_one_signal_too_few_fails_the_run(
    project: Project, fill_corpus: FillCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.methods._base import Outcome

    fill_corpus(3)
    monkeypatch.setattr(methods()["near_duplicates"], "run", lambda *_: Outcome(signals=[]))
    run = run_here(project, "near_duplicates", threshold=1.0)
    assert "gave 0 signals for 3 comparisons" in run.error
    assert not Signal.objects.exists()


def _publish() -> None:
    cards = [card_of(name, method) for name, method in methods().items()]
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=cards)


def test_the_worker_publishes_its_methods(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "devices", lambda queues: ["cpu"])
    boot.publish("cpu@here", ["cpu", "io"])
    assert {"model_vote", "near_duplicates"} <= {entry.method for entry in catalogue.catalogue()}


def test_the_command_starts_a_run(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    _publish()
    call_command("run_method", "near_duplicates", "--project", "demo", "--param", "threshold=0.97")
    defaults = asdict(near_duplicates.Params())
    assert Run.objects.get().params == defaults | {"threshold": 0.97} != defaults
    assert "near_duplicates on demo" in capsys.readouterr().out


def test_the_command_says_when_nobody_will_do_it(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    _publish()
    catalogue.say_goodbye("cpu@here")
    call_command("run_method", "near_duplicates", "--project", "demo")
    assert "is alive" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["divination", "--project", "demo"], "There is no method 'divination'"),
        (["near_duplicates", "--project", "elsewhere"], "There is no project 'elsewhere'"),
        (["near_duplicates", "--project", "demo", "--param", "threshold"], "Write --param KEY=VALUE"),
        (["near_duplicates", "--project", "demo", "--param", "threshold=2"], "This must be 1.0 or less."),
    ],
)
def test_the_command_refuses_with_a_sentence(project: Project, arguments: list[str], sentence: str) -> None:
    _publish()
    with pytest.raises(CommandError, match=sentence):
        call_command("run_method", *arguments)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_waiting_ends_with_an_error_unless_the_run_is_done(project: Project, state: State) -> None:
    _publish()

    def end() -> None:
        from django.db import connection

        while not Run.objects.update(state=state, error="The disk is full."):
            threading.Event().wait(0.05)
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(CommandError, match="The disk is full"):
        call_command("run_method", "near_duplicates", "--project", "demo", "--wait")
    thread.join()
