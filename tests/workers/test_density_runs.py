"""A run of density_ratio from its row to its end: models by name, signals, scores, probes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Project
from curation.models import Score, Signal
from ledger.models import Run
from tests.workers.conftest import run_here
from tests.workers.tiny_chat import make_chat
from workers.engine.models.resident import forget_residents

FillCorpus = Callable[..., int]


@pytest.fixture
def toys(own_cache: None, settings: Settings) -> None:
    for seed, name in enumerate(("strong", "weak")):
        make_chat(Path(settings.WINNOW_HOME) / "models" / name, seed=seed, context=1024)
    forget_residents()


@pytest.mark.usefixtures("toys")
def test_a_run_writes_signals_scores_and_what_its_probes_found(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(20)
    run = run_here(project, "density_ratio", strong="strong", weak="weak", form="mean")
    assert run.state == "done", run.error
    [source] = run.result["sources"].values()
    assert (source["name"], source["n"], source["unit"], source["labelled"]) == ("one", 20, "nats per token", 20)
    assert {name: told["name"] for name, told in run.result["models"].items()} == {"strong": "strong", "weak": "weak"}
    assert not run.result["probes"]["passed"]
    [probed] = run.result["probes"]["sources"].values()
    assert (probed["source"], len(probed["probes"])) == ("one", 10)
    signal = Signal.objects.filter(run=run).first()
    assert signal is not None
    assert signal.value == pytest.approx(signal.fields["score_b"] - signal.fields["score_a"])
    assert Signal.objects.filter(run=run).count() == 20
    assert sorted(Score.objects.filter(run=run).values_list("name", flat=True).distinct()) == [
        "ratio",
        "strong",
        "weak",
    ]
    again = run_here(project, "density_ratio", strong="strong", weak="weak", form="mean")
    assert _said(again) == _said(run)


def _said(run: Run) -> list[Any]:
    return list(Signal.objects.filter(run=run).order_by("comparison").values_list("comparison", "value", "fields"))


@pytest.mark.usefixtures("toys")
def test_a_model_may_say_the_domain_and_is_named_with_the_words(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(4)
    asked = {"strong": "strong", "weak": "weak", "customise": "model", "router_model": "weak"}
    run = run_here(project, "density_ratio", **asked)
    assert run.state == "done", run.error
    assert sorted(run.result["models"]) == ["router_model", "strong", "weak"]
    [source] = run.result["sources"].values()
    assert source["customise"]["wording"]["version"] == 0
    assert source["flagged"] == {}
    for fields in Signal.objects.filter(run=run).values_list("fields", flat=True):
        assert fields["exemplar"].startswith(fields["domain"]) or (fields["domain"], fields["exemplar"]) == ("chat", "")


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "Name the better model as `strong`"),
        ({"strong": "strong"}, "Name the model to set it against as `weak`"),
        ({"strong": "nobody", "weak": "weak"}, "There is no model 'nobody'"),
        ({"strong": "strong", "weak": "weak", "customise": "model"}, "as `router_model`"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_computed(
    project: Project, fill_corpus: FillCorpus, params: dict[str, str], sentence: str
) -> None:
    fill_corpus(3)
    run = run_here(project, "density_ratio", **params)
    assert (run.state, run.shards.count()) == ("failed", 0)
    assert sentence in run.error
