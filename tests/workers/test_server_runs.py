"""A method run whose model lies behind a server: listed, answered, killed in the middle, resumed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from accounts.models import Project, User
from curation.model_servers.change import add_server, remove_server
from curation.models import Signal
from ledger.models import Run, State
from ledger.runs import resume_run
from tests.workers.conftest import run_here
from tests.workers.model_server import Served, served
from tests.workers.tiny_chat import make_chat
from workers import tasks
from workers.engine.models.server import forget_servers

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_chat(folder / "strong", seed=1)
    make_chat(folder / "weak", seed=2)
    return folder


@pytest.fixture
def server(folders: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """One that the operator lets have its address, with a key of its own."""
    monkeypatch.setattr("workers.engine.models.client.PAUSES", (0.01,))
    forget_servers()
    with served(folders / "strong") as running:
        running.switches.key = "s3cret-key"
        settings.WINNOW_PRIVATE_MODEL_SERVERS = frozenset({f"127.0.0.1:{running.port}"})
        settings.WINNOW_MODEL_SERVER_KEYS = {running.url: "s3cret-key"}
        yield running
    forget_servers()


def means(run: Run) -> list[float]:
    found: list[Any] = list(Signal.objects.filter(run=run).order_by("comparison_id").values_list("value", flat=True))
    return found


def test_a_run_over_a_server_that_died_goes_on_and_ends_as_if_nothing_had_been(
    project: Project,
    owner: User,
    fill_corpus: FillCorpus,
    folders: Path,
    server: Served,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("workers.engine.likelihood.cached.PORTION", 100)
    fill_corpus(12)
    weak = str(folders / "weak")
    here = run_here(project, "density_ratio", strong=str(folders / "strong"), weak=weak)
    assert here.error == ""
    add_server(project=project, url=server.url, by=owner)
    server.switches.dies_after = 10
    run = run_here(project, "density_ratio", strong=server.url, weak=weak)
    assert run.state == State.FAILED and "is out of order" in run.error
    server.switches.dies_after = None
    server.start()
    resume_run(run=run, by=owner)
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert (run.state, run.error) == (State.DONE, "")
    np.testing.assert_allclose(means(run), means(here), atol=1e-3)
    asked = [tuple(body["prompt"]) for body in server.to("/v1/completions")]
    # The fixed conversation of each opening, and what was under way when it died.
    assert len(asked) - len(set(asked)) <= 1 + 16
    told = run.result["models"]["strong"]
    assert told["name"] == "toy" and told["server"] == server.url and run.result["models"]["weak"]["sha256"]
    everything = str(run.result) + run.error + caplog.text + str(run.params)
    assert "s3cret" not in everything


def test_a_server_that_only_writes_gives_candidates(
    project: Project, owner: User, fill_corpus: FillCorpus, server: Served
) -> None:
    fill_corpus(2)
    add_server(project=project, url=server.url, by=owner)
    server.switches.forms, server.switches.tokenizes = (), False
    run = run_here(project, "sample_responses", model=server.url, n=2, max_tokens=6, temperature=1.0)
    assert (run.state, run.error) == (State.DONE, "")
    assert run.result["written"] == 4 and run.result["models"]["model"]["server"] == server.url
    assert run.result["author"].startswith("toy@") and "127.0.0.1" not in run.result["author"]
    refused = run_here(project, "follow_up", model=server.url)
    assert refused.state == State.FAILED and "no /tokenize" in refused.error


def test_a_server_that_nobody_listed_fails_the_run_with_a_sentence(
    project: Project, owner: User, fill_corpus: FillCorpus, folders: Path, server: Served
) -> None:
    fill_corpus(3)
    listed = add_server(project=project, url=server.url, by=owner)
    remove_server(server=listed, by=owner)
    run = run_here(project, "density_ratio", strong=server.url, weak=str(folders / "weak"))
    assert run.state == State.FAILED and "not on this project's list" in run.error
    assert server.asked == [] and not run.shards.exists()


def test_an_address_that_the_operator_does_not_allow_fails_the_run_with_a_sentence(
    project: Project, owner: User, fill_corpus: FillCorpus, folders: Path, server: Served, settings: Settings
) -> None:
    fill_corpus(3)
    add_server(project=project, url=server.url, by=owner)
    settings.WINNOW_PRIVATE_MODEL_SERVERS = frozenset()
    run = run_here(project, "density_ratio", strong=server.url, weak=str(folders / "weak"))
    assert run.state == State.FAILED and "WINNOW_PRIVATE_MODEL_SERVERS" in run.error
    assert server.asked == []


def test_a_server_that_is_not_there_fails_the_run_with_a_sentence(
    project: Project, owner: User, fill_corpus: FillCorpus, folders: Path, server: Served
) -> None:
    fill_corpus(3)
    add_server(project=project, url=server.url, by=owner)
    server.stop()
    run = run_here(project, "density_ratio", strong=server.url, weak=str(folders / "weak"))
    server.start()
    assert run.state == State.FAILED and "is out of order: no connection" in run.error
    assert "Traceback" not in run.error and "ServerTrouble" not in run.error
