"""A rule may give a label by a method to a comparison that has none, and says whose label it is."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison
from curation.audits.override import override_probes, withdraw_override
from curation.card import card
from curation.decide import UndecidableRequest, decide, undo
from curation.freeze import folder, freeze, new_release
from curation.models import Action, Decision, ProbeOverride, Release, Signal
from curation.preview import preview
from curation.recipes import apply_recipe, save_recipe
from curation.rules import InvalidRecipe, parse
from ledger.models import Run
from ledger.reporter import Reporter

PASSED = {"passed": True, "reasons": [], "sources": {}}
FAILED = {"passed": False, "reasons": ["The key “Solution” beats 41 of 50 real answers."], "sources": {}}
LABEL = {"rules": [{"name": "by ratio", "then": {"label": "density_ratio"}}]}


def score(run: Run, comparison: Comparison, mean: float | None, *, flagged: bool = False) -> None:
    Signal.objects.create(run=run, comparison=comparison, value=mean, fields={"mean": mean, "flagged": flagged})


@pytest.fixture
def scored(corpus: Any) -> Run:
    """Probes that passed; models by name."""
    models = {"strong": {"name": "dpo", "sha256": "aa"}, "weak": {"name": "sft", "sha256": "bb"}}
    run: Run = corpus.run("density_ratio", {"probes": PASSED, "models": models})
    return run


def frozen(project: Project, recipe: Any = LABEL, name: str = "v1") -> Release:
    release = new_release(project=project, name=name, recipe=recipe, by=project.created_by)
    freeze(release, Reporter())
    return Release.objects.get(pk=release.pk)


def rows_of(release: Release) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in release.manifest["files"]:
        with default_storage.open(f"{folder(release)}/{file['path']}", "rb") as stored:
            found |= {row["external_id"]: row for row in pq.read_table(stored).to_pylist()}
    return found


def counted(project: Project, recipe: Any = LABEL) -> Any:
    return preview(project=project, rules=parse(recipe))


def test_a_comparison_without_a_label_gets_the_sign_of_the_signal(project: Project, corpus: Any, scored: Run) -> None:
    better_b, better_a = corpus.add(label=None), corpus.add(label=None)
    score(scored, better_b, 7.5)
    score(scored, better_a, -0.25)
    batch = apply_recipe(recipe=save_recipe(project=project, name="r", document=LABEL, by=None), by=None)
    assert dict(batch.decisions.values_list("comparison_id", "label")) == {better_b.pk: 1, better_a.pk: -1}
    assert set(batch.decisions.values_list("action", flat=True)) == {"label"}
    undo(batch=batch, by=User.objects.create(email="undoer@winnow.example"))
    assert not Decision.objects.filter(is_current=True).exists()


def test_labelled_identical_even_flagged_and_unscored_rows_go_to_the_next_rule(
    project: Project, corpus: Any, scored: Run
) -> None:
    labelled, same, even, flagged, unscored, infinite, fine = (
        corpus.add(label=1), corpus.add("x", "x", label=None), *(corpus.add(label=None) for _ in range(5)),
    )  # fmt: skip
    for row, mean in ((labelled, 1.0), (same, 1.0), (even, 0.0), (flagged, 1.0), (infinite, float("nan")), (fine, 1.0)):
        score(scored, row, None if mean != mean else mean, flagged=row is flagged)
    Signal.objects.filter(comparison=infinite).update(value=float("nan"))
    found = counted(project, {"rules": [*LABEL["rules"], {"name": "rest", "then": "review"}]})
    assert [rule.count for rule in found.rules] == [1, 6]
    assert found.rules[0].released == found.released == 1 and found.rules[0].without_label == 0
    assert unscored.label is None


def test_a_condition_narrows_it_and_a_margin_is_measured_toward_the_label_given(
    project: Project, corpus: Any, scored: Run
) -> None:
    far, near = corpus.add(label=None), corpus.add(label=None)
    score(scored, far, -3.0)
    score(scored, near, -0.1)
    when = {"field": "density_ratio.mean", "op": "<", "value": -1}
    rule = {"name": "far", "when": when, "then": {"label": "density_ratio"}, "margin": "density_ratio.strength"}
    release = frozen(project, {"rules": [rule]})
    rows = rows_of(release)
    assert list(rows) == [far.external_id]
    assert rows[far.external_id]["margin"] == pytest.approx(3.0) and rows[far.external_id]["label"] == -1


def test_the_rows_the_manifest_and_the_card_say_whose_label_it_is(project: Project, corpus: Any, scored: Run) -> None:
    row = corpus.add(label=None)
    score(scored, row, 2.0)
    release = frozen(project)
    held = rows_of(release)[row.external_id]
    assert held["action"] == "label" and held["label"] == 1 and held["imported_label"] is None
    says = f"rule: by ratio; label by density_ratio, run {scored.pk} (strong dpo, weak sft)"
    assert held["reason"] == says and not held["is_by_hand"]
    manifest = release.manifest
    assert manifest["counts"]["rules"][0]["labels"] == {
        "method": "density_ratio", "run": scored.pk, "models": scored.result["models"],
    }  # fmt: skip
    assert (
        manifest["measured"]["by_method"] == 1 and manifest["runs"]["density_ratio"]["models"]["weak"]["name"] == "sft"
    )
    text = card(manifest)
    assert "no person" in text and "density_ratio" in text and "dpo" in text and "passed" in text
    orjson.dumps(manifest)


def test_a_failed_probe_sends_the_rows_to_review_and_says_why(project: Project, corpus: Any) -> None:
    run = corpus.run("density_ratio", {"probes": FAILED})
    rows = [corpus.add(label=None) for _ in range(3)]
    for row in rows:
        score(run, row, 1.0)
    found = counted(project)
    assert found.rules[0].action == Action.REVIEW and found.rules[0].count == 3 and found.released == 0
    assert any("Solution" in warning for warning in found.warnings)
    batch = apply_recipe(recipe=save_recipe(project=project, name="r", document=LABEL, by=None), by=None)
    assert set(batch.decisions.values_list("action", "label")) == {("review", None)}
    release = frozen(project)
    assert release.manifest["counts"]["released"] == 0 and not release.manifest["files"]
    assert not release.manifest["counts"]["rules"][0]["probes"][0]["passed"]
    assert "Solution" in card(release.manifest)


def test_a_closed_gate_is_no_change_of_the_recipe(project: Project, corpus: Any) -> None:
    run, row = corpus.run("density_ratio", {"probes": FAILED}), corpus.add(label=None)
    score(run, row, 1.0)
    found = preview(project=project, rules=parse(LABEL), against=parse(LABEL))
    assert found.changed == 0 and found.rules[0].action == Action.REVIEW
    other = {"rules": [LABEL["rules"][0] | {"then": {"label": "follow_up"}}]}
    assert preview(project=project, rules=parse(LABEL), against=parse(other)).changed == 1


def test_a_run_without_probes_labels_nothing(project: Project, corpus: Any) -> None:
    row = corpus.add(label=None)
    score(corpus.run("follow_up", {}), row, 1.0)
    found = counted(project, {"rules": [{"name": "f", "then": {"label": "follow_up"}}]})
    assert found.rules[0].action == Action.REVIEW and any("no probes" in warning for warning in found.warnings)


def test_the_owners_note_opens_the_gate_for_that_run_alone_and_stands_in_the_card(
    project: Project, corpus: Any, owner: User
) -> None:
    run, row = corpus.run("density_ratio", {"probes": FAILED}), corpus.add(label=None)
    score(run, row, 1.0)
    override_probes(run=run, note="Keys never occur in these candidates.", by=owner)
    assert counted(project).released == 1
    release = frozen(project)
    override = release.manifest["counts"]["rules"][0]["probes"][0]["override"]
    assert override["note"] == "Keys never occur in these candidates." and "@" not in override["by"]
    assert "Keys never occur" in card(release.manifest) and "@" not in card(release.manifest)
    newer = corpus.run("density_ratio", {"probes": FAILED})
    score(newer, row, 1.0)
    assert counted(project).rules[0].action == Action.REVIEW


def test_an_override_that_was_taken_back_counts_no_more_but_stays_where_it_was_frozen(
    project: Project, corpus: Any, owner: User
) -> None:
    run, row = corpus.run("density_ratio", {"probes": FAILED}), corpus.add(label=None)
    score(run, row, 1.0)
    override_probes(run=run, note="Looked at forty.", by=owner)
    asked = new_release(project=project, name="before", recipe=LABEL, by=owner)
    withdraw_override(run=run, by=owner)
    assert counted(project).rules[0].action == Action.REVIEW
    freeze(asked, Reporter())
    assert Release.objects.get(pk=asked.pk).manifest["counts"]["released"] == 1
    withdrawn_at = ProbeOverride.objects.get().withdrawn_at
    assert withdrawn_at is not None and withdrawn_at <= timezone.now()


@pytest.mark.parametrize("then", ["flip", {"soften": 0.7}])
def test_rules_that_change_labels_by_a_scorer_stand_behind_the_same_gate(
    project: Project, corpus: Any, then: Any
) -> None:
    run, row = corpus.run("density_ratio", {"probes": FAILED}), corpus.add(label=-1)
    score(run, row, 3.0)
    against = {"field": "density_ratio.strength", "op": "<", "value": 0}
    found = counted(project, {"rules": [{"name": "against", "when": against, "then": then}]})
    assert found.rules[0].action == Action.REVIEW and found.rules[0].count == 1


def test_keeping_and_dropping_by_a_scorer_ask_for_no_probes(project: Project, corpus: Any) -> None:
    run, row = corpus.run("density_ratio", {"probes": FAILED}), corpus.add(label=-1)
    score(run, row, -3.0)
    agrees = {"field": "density_ratio.strength", "op": ">", "value": 0}
    found = counted(project, {"rules": [{"name": "agrees", "when": agrees, "then": "keep"}]})
    assert found.rules[0].action == Action.KEEP and found.rules[0].gates == () and row.label == -1


def test_nobody_labels_by_hand_with_that_word(project: Project, corpus: Any, curator: User) -> None:
    row = corpus.add(label=None)
    with pytest.raises(UndecidableRequest):
        decide(project=project, comparison_ids=[row.pk], action="label", author=curator, label=1)


def test_a_person_outranks_the_methods_label(project: Project, corpus: Any, scored: Run, curator: User) -> None:
    mine, theirs = corpus.add(label=None), corpus.add(label=None)
    score(scored, mine, 1.0)
    score(scored, theirs, 1.0)
    corpus.decide(mine, Action.KEEP, curator, label=-2)
    corpus.decide(theirs, Action.DROP, curator)
    release = frozen(project, {"rules": [*LABEL["rules"], {"name": "rest", "then": "keep"}]})
    assert {key: row["label"] for key, row in rows_of(release).items()} == {mine.external_id: -2}


@pytest.mark.parametrize("then", [{"label": "model_vote"}, {"label": 3}, {"label": None}, "label"])
def test_only_methods_that_score_both_sides_may_label(then: Any) -> None:
    with pytest.raises(InvalidRecipe):
        parse({"rules": [{"then": then}]})


def test_the_same_release_again_has_the_same_bytes(project: Project, corpus: Any, scored: Run) -> None:
    for n in range(5):
        score(scored, corpus.add(label=None), n - 2.0)
    one, other = frozen(project), frozen(project, name="v2")
    assert one.content_sha256 == other.content_sha256 and one.manifest["counts"]["released"] == 4
