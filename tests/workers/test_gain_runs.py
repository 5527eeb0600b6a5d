"""A recipe put to the test, from the run's row to its report; and rules in Python agree with rules in SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Project, User
from annotation.models import Campaign, Consensus
from corpus.models import Comparison, Source
from curation.decide import decide
from curation.fields import FIELDS
from curation.gains.reports import document_of
from curation.gains_views import told
from curation.handoff.trials import read_trial, samples
from curation.models import Signal
from curation.recipes import save_recipe
from curation.rules import parse
from curation.rules_sql import matched_rule_sql
from curation.standing import Standing, newest_runs
from ledger.models import Run, RunKind, State
from tests.workers.conftest import run_here
from workers.engine.gain.fields import DERIVED, Said, direction_of
from workers.engine.gain.recipes import column, first_match, keys_of
from workers.feeds.recipes import rule_of

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")
REFITTED = sorted(DERIVED)
VALUES: dict[str, list[Any]] = {
    "number": [-1.0, -0.2, 0, 0.1, 0.2, 0.5, 0.8, 1, 3],
    "text": ["incorrect", "ambiguous", "strong", "normal", "one", "keep"],
    "boolean": [True, False],
}


FOUND = {
    "rms_margin": 0.4, "strong_cut": 0.5,
    "paper_cuts": {"ambiguous_from": -0.3, "normal_from": 0.01, "strong_from": 0.5},
}  # fmt: skip


def _speak(project: Project, method: str, seed: int) -> Run:
    """Signals with every gap and edge: shares at the bounds, no spread, a missing number, a row without a signal."""
    rng = random.Random(seed)
    sources = {
        str(source.pk): rng.choice([FOUND, {"rms_margin": None, "strong_cut": None, "paper_cuts": None}])
        for source in Source.objects.filter(project=project).order_by("pk")
    }
    run = Run.objects.create(
        project=project, kind=RunKind.METHOD, method=method, queue="cpu", state=State.DONE, result={"sources": sources},
        finished_at=timezone.now(),
    )  # fmt: skip
    for comparison in Comparison.objects.filter(project=project).order_by("pk"):
        value = rng.choice([None, -1.0, -0.3, -0.01, 0.0, 0.2, 0.5, 0.9])
        fields = {
            "mean": value, "spread": rng.choice([None, 0.0, 0.01, 0.3, 2.0]), "n": 10, "others": rng.randrange(3),
            "share_b": rng.choice([None, 0.0, 0.2, 0.5, 1 - 0.8, 0.8, 1 - 0.2, 1.0]),
            "lowest_a": rng.choice([None, -1.5, -0.2]), "lowest_b": rng.choice([None, -0.7, 0.1]),
            "penalty": rng.choice([None, 0.0, 0.09]),
            "length_mean": rng.choice([None, -0.5, 0.4]), "flags_a": rng.choice([[], ["echo"]]), "flags_b": ["empty"],
            "margin": rng.choice([None, 0.3]), "n_epochs": 4, "flagged": rng.choice([True, False, False, None]),
        }  # fmt: skip
        if rng.random() < 0.9:
            Signal.objects.create(run=run, comparison=comparison, value=value, fields=fields)
    return run


def _filled(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(25, source="one")
    fill_corpus(15, source="two")
    rng = random.Random(5)
    for row in Comparison.objects.filter(project=project).order_by("pk"):
        row.label = rng.choice([-3, -1, 0, 1, 2, None])
        row.labels = [] if row.label is None else [row.label]
        row.metadata = rng.choice(
            [{"score": 0.2}, {"score": "one"}, {"score": True}, {}, {"score": None}, {"score": 1}]
        )
        row.save()


def _condition(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth < 3 and rng.random() < 0.5:
        word = rng.choice(["all", "any", "not"])
        if word == "not":
            return {"not": _condition(rng, depth + 1)}
        return {word: [_condition(rng, depth + 1) for _ in range(rng.choice([1, 2, 3]))]}
    name = rng.choice([*FIELDS, "metadata.score"])
    kind = FIELDS[name].type if name in FIELDS else rng.choice(["number", "text", "boolean"])
    operator = rng.choice(["==", "!=", "in", "is null"] + (["<", "<=", ">", ">="] * 2 if kind == "number" else []))
    if operator == "is null":
        return {"field": name, "op": operator, "value": rng.choice([True, False])}
    values = VALUES[kind]
    return {"field": name, "op": operator, "value": rng.sample(values, 2) if operator == "in" else rng.choice(values)}


def _recipe(rng: random.Random) -> dict[str, Any]:
    rules = [
        {"when": _condition(rng), "then": rng.choice(["keep", "drop", "review", {"label": "density_ratio"}])}
        for _ in range(rng.randint(1, 5))
    ]
    return {"rules": [{"name": f"rule {n}", **rule} for n, rule in enumerate(rules)]}


def test_rules_match_the_rows_that_they_match_in_the_database(project: Project, fill_corpus: FillCorpus) -> None:
    _filled(project, fill_corpus)
    for seed, method in enumerate(["model_vote", "item_strength", "bias_audit", "degenerate", "density_ratio"]):
        _speak(project, method, seed)
    rng = random.Random(0)
    seen: set[int] = set()
    for _ in range(150):
        rules = parse(_recipe(rng))
        ours = [rule_of(rule) for rule in rules.rules]
        standing = Standing.of(project, sees="base")
        matched = matched_rule_sql(rules, standing)
        keys = keys_of(ours)
        columns = "".join(f", {standing.field(name, wanted=read_as)}" for name, read_as in keys)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {matched}{columns} {standing.from_sql} ORDER BY c.id", standing.params)
            rows = cursor.fetchall()
        read = {key: column([row[n + 1] for row in rows], key[1]) for n, key in enumerate(keys)}
        found = first_match(ours, read, len(rows)).tolist()
        assert found == [-1 if row[0] is None else row[0] for row in rows], rules.document
        seen |= set(found)
    assert seen >= {-1, 0, 1, 2}


@pytest.mark.parametrize("seed", range(3))
def test_fields_of_methods_fitted_again_are_those_of_the_database(
    project: Project, fill_corpus: FillCorpus, seed: int
) -> None:
    _filled(project, fill_corpus)
    runs = {name: _speak(project, name, seed) for name in sorted({name.partition(".")[0] for name in REFITTED})}
    standing = Standing.of(project, sees="base")
    columns = ", ".join(standing.field(name) for name in REFITTED)
    label = standing.label
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, c.source_id, {label}, {columns} {standing.from_sql} ORDER BY c.id", standing.params
        )
        rows = cursor.fetchall()
    for source in sorted({row[1] for row in rows}):
        here = [row for row in rows if row[1] == source]
        for place, name in enumerate(REFITTED):
            run = runs[name.partition(".")[0]]
            kept = {signal.comparison_id: signal for signal in Signal.objects.filter(run=run)}
            said = Said(
                [kept.get(row[0]) for row in here], direction_of([row[2] for row in here]),
                run.result["sources"][str(source)],
            )  # fmt: skip
            ours = DERIVED[name](said)
            got = [value if known else None for value, known in zip(ours.values.tolist(), ours.known, strict=True)]
            assert got == [row[3 + place] for row in here], name


def test_every_field_of_a_method_that_is_fitted_again_is_derived() -> None:
    again = {"model_vote", "item_strength", "bias_audit", "peer_review"}
    assert {name for name in FIELDS if name.partition(".")[0] in again} == set(DERIVED)


def test_what_cannot_be_fitted_again_is_named(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(3)
    _speak(project, "next_to_annotate", 0)
    rule = {"name": "out", "when": {"field": "next_to_annotate.worth", "op": ">", "value": 0.5}, "then": "drop"}
    save_recipe(project=project, name="r", document={"rules": [rule]}, by=None)
    (only,) = run_here(project, "gain", recipe="r").result["sources"].values()
    (note,) = only["notes"]
    assert "next_to_annotate.worth cannot be fitted again" in note and "flatters the recipe" in note


RECIPE = {
    "rules": [
        {"name": "turn", "when": {"field": "model_vote.strength", "op": "<", "value": 0}, "then": "flip"},
        {"name": "keep", "then": "keep"},
    ]
}


def test_a_run_reports_per_source_and_overall(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(42, source="one")
    fill_corpus(6, source="two")
    recipe = save_recipe(project=project, name="turning", document=RECIPE, by=None)
    votes = run_here(project, "model_vote", heads=2, folds=2)
    run = run_here(project, "gain", recipe="turning", seeds=1, folds=3)
    assert (run.error, run.state) == ("", State.DONE)
    assert run.result["recipe"] == {"id": recipe.pk, "name": "turning", "version": 1}
    assert run.result["runs"] == {"model_vote": votes.pk}
    one, two = (run.result["sources"][key] for key in sorted(run.result["sources"], key=int))
    assert (one["name"], one["n"], one["labelled"]) == ("one", 42, 42)
    assert "6 of 6 comparisons have a label" in two["problem"]
    assert run.result["overall"]["basis"] == "imported" and run.result["overall"]["n"] == 42
    assert run.result["overall"]["verdict"] in {"gain shown", "no gain shown", "harm shown"}
    assert "draws" not in one["judged"]["imported"] and not Signal.objects.filter(run=run).exists()
    assert run_here(project, "gain", recipe="turning", seeds=1, folds=3).result["overall"] == run.result["overall"]
    page = told(document_of(run))
    assert [panel.name for panel in page["panels"]] == ["one", "two"] and "n = 42" in page["headline"]


def test_a_recipe_that_nobody_kept_and_none_at_all_get_a_sentence(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(3)
    assert "There is no recipe 'unheard'" in run_here(project, "gain", recipe="unheard").error
    assert "Say which recipe" in run_here(project, "gain").error
    save_recipe(project=project, name="r", document=RECIPE, by=None)
    assert "has no version '7'" in run_here(project, "gain", recipe="r", version=7).error
    run = run_here(project, "gain", recipe="r")
    (only,) = run.result["sources"].values()
    assert "Too little to train and to test on" in only["problem"] and run.result["overall"] is None
    assert "model_vote has not run here" in only["notes"][0]


def test_whole_prompts_up_to_the_number_asked_for(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(30)
    (some,) = samples(project, max_rows=10, seed=1)
    assert (some.total, some.rows) == (30, 10)
    rows = _rows(project, some.source_id, cut=some.cut, seed=1)
    assert len(rows) == 10
    (others,) = samples(project, max_rows=10, seed=2)
    assert [row.pair.id for row in rows] != [row.pair.id for row in _rows(project, others.source_id, others.cut, 2)]


def _rows(project: Project, source_id: int, cut: int, seed: int) -> list[Any]:
    return list(read_trial(project, source_id=source_id, cut=cut, seed=seed, runs=newest_runs(project), fields=[]))


def test_labels_of_people_say_where_they_come_from(project: Project, fill_corpus: FillCorpus, curator: User) -> None:
    fill_corpus(8)
    ids = list(Comparison.objects.order_by("pk").values_list("pk", flat=True))
    decide(project=project, comparison_ids=ids[:1], action="flip", reason="", author=curator)
    decide(project=project, comparison_ids=ids[1:3], action="flip", reason="", author=curator)
    decide(project=project, comparison_ids=ids[3:4], action="drop", reason="", author=curator)
    campaign = Campaign.objects.create(project=project, name="round", kind="pairwise")
    for pk, label, method in ((ids[4], 1, "majority"), (ids[5], -1, "adjudicated"), (ids[6], None, "majority")):
        Consensus.objects.create(
            campaign=campaign, comparison_id=pk, method=method, label=label, confidence=1.0, votes=3
        )
    (sample,) = samples(project, max_rows=100, seed=0)
    rows = _rows(project, sample.source_id, sample.cut, 0)
    imported = {pk: label or 0 for pk, label in Comparison.objects.values_list("pk", "label")}
    assert [row.origin for row in rows] == ["by hand", "", "", "", "consensus", "", "", ""]
    assert [row.hand for row in rows[:4]] == ["flip", "flip", "flip", "drop"]
    assert rows[0].verified == rows[0].hand_label == -imported[ids[0]]
    assert [row.raw for row in rows] == [imported[pk] for pk in ids]
    assert [row.pair.label for row in rows[:2]] == [-imported[pk] for pk in ids[:2]]
    assert rows[4].verified == 1
    assert np.isfinite(sample.cut)
