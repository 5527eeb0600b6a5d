from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from annotation.models import Consensus
from corpus.models import Comparison
from curation.decide import UndecidableRequest, UnknownComparisons, decide, undo
from curation.models import Action, Decision, DecisionBatch, Recipe, Signal
from curation.queries import rows_of

MakeComparison = Callable[..., Comparison]


def current(comparison: Comparison) -> Decision | None:
    return Decision.objects.filter(comparison=comparison, is_by_hand=True, is_current=True).first()


def label_now(comparison: Comparison) -> int | None:
    return rows_of(comparison.project, [comparison.pk])[0].label


@pytest.mark.parametrize(
    ("imported", "action", "more", "expected"),
    [
        (-2, "keep", {}, -2),
        (-2, "flip", {}, 2),
        (-2, "soften", {"soften_to": 0.7}, -2),
        (-2, "drop", {}, None),
        (-2, "review", {}, None),
        (0, "flip", {}, 0),
        (-2, "keep", {"label": 3}, 3),
        (None, "keep", {"label": 1}, 1),
        (None, "drop", {}, None),
    ],
)
def test_each_action_puts_its_label_in_force(
    project: Project,
    curator: User,
    make_comparison: MakeComparison,
    imported: int | None,
    action: str,
    more: dict[str, Any],
    expected: int | None,
) -> None:
    row = make_comparison(imported)
    batch = decide(
        project=project, comparison_ids=[row.pk], action=action, author=curator, reason=" I read both ", **more
    )
    decision = current(row)
    assert decision is not None
    assert (decision.action, decision.label, decision.soften_to) == (action, expected, more.get("soften_to"))
    assert (batch.reason, batch.author, decision.is_by_hand) == ("I read both", curator, True)


def test_a_later_decision_replaces_the_one_that_stood(project: Project, curator: User, comparison: Comparison) -> None:
    for action in (Action.DROP, Action.KEEP):
        decide(project=project, comparison_ids=[comparison.pk], action=action, author=curator, reason="")
    decision = current(comparison)
    assert decision is not None and decision.action == "keep"
    assert Decision.objects.filter(comparison=comparison).count() == 2


def test_flipping_twice_is_flipping_once(project: Project, curator: User, comparison: Comparison) -> None:
    for _ in range(2):
        decide(project=project, comparison_ids=[comparison.pk], action="flip", author=curator)
    assert label_now(comparison) == 2


def test_a_flip_turns_the_strength_by_itself(
    project: Project, curator: User, comparison: Comparison, vote: Callable[..., Signal]
) -> None:
    vote(comparison, 1.5, share_b=0.9)
    before = rows_of(project, [comparison.pk])[0].votes
    decide(project=project, comparison_ids=[comparison.pk], action="flip", author=curator)
    after = rows_of(project, [comparison.pk])[0].votes
    assert (before["strength"], after["strength"]) == (-1.5, 1.5)
    assert before["share"] == pytest.approx(0.1) and after["share"] == pytest.approx(0.9)
    assert before["mean"] == after["mean"] == 1.5


def test_a_contradicted_row_asks_for_its_label(
    project: Project, curator: User, make_comparison: MakeComparison
) -> None:
    row = make_comparison(labels=[-1, 2])
    with pytest.raises(UndecidableRequest, match="1 of 1 rows have no label"):
        decide(project=project, comparison_ids=[row.pk], action="keep", author=curator)
    decide(project=project, comparison_ids=[row.pk], action="keep", author=curator, label=2)
    assert label_now(row) == 2
    decide(project=project, comparison_ids=[row.pk], action="flip", author=curator)
    assert label_now(row) == -2


def test_what_people_said_stands_in_for_a_missing_label(
    project: Project, curator: User, make_comparison: MakeComparison, agree: Callable[..., Consensus]
) -> None:
    row = make_comparison(None)
    agree(row, 3)
    decide(project=project, comparison_ids=[row.pk], action="flip", author=curator)
    assert label_now(row) == -3


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "burn"},
        {"action": "keep", "label": 4},
        {"action": "drop", "label": 1},
        {"action": "soften"},
        {"action": "keep", "soften_to": 0.5},
        {"action": "soften", "soften_to": 1.5},
        {"action": "keep", "comparison_ids": []},
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    project: Project, curator: User, comparison: Comparison, wrong: dict[str, Any]
) -> None:
    with pytest.raises(UndecidableRequest):
        decide(**{"project": project, "comparison_ids": [comparison.pk], "author": curator, **wrong})
    assert not DecisionBatch.objects.exists()


def test_rows_of_another_project_are_refused_and_nothing_is_decided(
    project: Project, curator: User, comparison: Comparison
) -> None:
    other = Project.objects.create(slug="other", name="Other")
    with pytest.raises(UnknownComparisons):
        decide(project=other, comparison_ids=[comparison.pk], action="keep", author=curator)
    with pytest.raises(UnknownComparisons):
        decide(project=project, comparison_ids=[comparison.pk, 10**9], action="keep", author=curator)
    assert not Decision.objects.exists()


def test_undo_brings_the_former_decision_back(project: Project, curator: User, comparison: Comparison) -> None:
    decide(project=project, comparison_ids=[comparison.pk], action="flip", author=curator)
    batch = decide(project=project, comparison_ids=[comparison.pk], action="drop", author=curator)
    undone = undo(batch=batch, by=curator)
    decision = current(comparison)
    assert decision is not None and decision.action == "flip"
    assert undone.undone_by == curator and undone.undone_at is not None


def test_undoing_everything_leaves_the_imported_label(project: Project, curator: User, comparison: Comparison) -> None:
    batches = [
        decide(project=project, comparison_ids=[comparison.pk], action=action, author=curator)
        for action in ("flip", "drop", "keep")
    ]
    # The middle one first: what stands is always the newest that nobody took back.
    undo(batch=batches[1], by=curator)
    assert (now := current(comparison)) is not None and now.action == "keep"
    undo(batch=batches[2], by=curator)
    assert (now := current(comparison)) is not None and now.action == "flip"
    undo(batch=batches[0], by=curator)
    assert current(comparison) is None
    assert label_now(comparison) == -2


def test_undoing_twice_is_undoing_once(project: Project, curator: User, owner: User, comparison: Comparison) -> None:
    batch = decide(project=project, comparison_ids=[comparison.pk], action="drop", author=curator)
    undo(batch=batch, by=curator)
    assert undo(batch=batch, by=owner).undone_by == curator
    assert AuditEvent.objects.filter(action="undo decisions").count() == 1


def test_undo_touches_only_its_own_rows(project: Project, curator: User, make_comparison: MakeComparison) -> None:
    first, second = make_comparison(1), make_comparison(1)
    batch = decide(project=project, comparison_ids=[first.pk, second.pk], action="drop", author=curator)
    decide(project=project, comparison_ids=[second.pk], action="keep", author=curator)
    undo(batch=batch, by=curator)
    assert current(first) is None
    assert (now := current(second)) is not None and now.action == "keep"


def test_undoing_a_recipe_brings_its_former_application_back(
    project: Project, curator: User, make_comparison: MakeComparison
) -> None:
    first, second = make_comparison(1), make_comparison(1)
    recipe = Recipe.objects.create(project=project, name="first", version=1, document={})

    def applied(row: Comparison, action: Action, *, is_current: bool) -> DecisionBatch:
        batch = DecisionBatch.objects.create(project=project, recipe=recipe)
        Decision.objects.create(
            batch=batch, comparison=row, action=action, is_by_hand=False, label=1, is_current=is_current
        )
        return batch

    applied(first, Action.KEEP, is_current=False)
    newest = applied(second, Action.DROP, is_current=True)
    undo(batch=newest, by=curator)
    standing = Decision.objects.filter(is_current=True)
    assert [(d.comparison_id, d.action) for d in standing] == [(first.pk, "keep")]


def test_who_decided_what_is_on_the_trail(project: Project, curator: User, comparison: Comparison) -> None:
    decide(project=project, comparison_ids=[comparison.pk], action="drop", author=curator, reason="spam")
    event = AuditEvent.objects.get(action="decide comparisons")
    assert (event.actor, event.details) == (curator, {"action": "drop", "rows": 1, "reason": "spam"})


def test_a_decision_costs_the_same_statements_for_one_row_and_for_fifty(
    project: Project, curator: User, make_comparison: MakeComparison, django_assert_max_num_queries: Any
) -> None:
    ids = [make_comparison(1).pk for _ in range(50)]
    with django_assert_max_num_queries(9):
        decide(project=project, comparison_ids=ids, action="keep", author=curator)
