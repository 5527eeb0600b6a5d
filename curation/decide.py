"""What a person decides about comparisons, and how it is taken back. Decisions are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Invalid, NotFound
from curation.models import Action, Decision, DecisionBatch

# What releases a row, and therefore needs a label to release it with.
LABELLED_ACTIONS = frozenset({Action.KEEP, Action.FLIP, Action.SOFTEN})
# Whoever labels by hand keeps the row with that label.
BY_HAND = tuple(action.value for action in Action if action != Action.LABEL)


class UndecidableRequest(Invalid):
    code = "undecidable"


class UnknownComparisons(NotFound):
    code = "unknown_comparisons"


@dataclass(frozen=True)
class Verdict:
    """One answer for many rows: `label` overrides the one a row came with, `soften_to` is the chance that it holds."""

    action: Action
    label: int | None = None
    soften_to: float | None = None


def decide(
    *,
    project: Project,
    comparison_ids: Sequence[int],
    action: Action | str,
    author: User,
    reason: str = "",
    label: int | None = None,
    soften_to: float | None = None,
) -> DecisionBatch:
    """Put one hand decision on every comparison, in place of the one that stood there; all of them or none.

    What is kept or flipped is the label a row came with (imported, else the consensus); a row without one keeps or
    flips what a hand had given it. So the same decision twice is the same as once.
    """
    verdict = _checked(action, label, soften_to)
    ids = sorted(set(comparison_ids))
    if not ids:
        raise UndecidableRequest("Choose at least one comparison.", fields={"comparison_ids": "empty"})
    with transaction.atomic():
        _lock(project, ids)
        _refuse_rows_without_label(verdict, ids)
        batch = DecisionBatch.objects.create(project=project, author=author, reason=reason.strip())
        _replace(batch, verdict, ids)
        audit.record(
            actor=author,
            project=project,
            action="decide comparisons",
            subject=batch,
            details={"action": str(verdict.action), "rows": len(ids), "reason": batch.reason},
        )
    return batch


def undo(*, batch: DecisionBatch, by: User) -> DecisionBatch:
    """Take a batch back: on each of its rows the decision that stood before stands again. Twice is once."""
    with transaction.atomic():
        batch = DecisionBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.undone_at is not None:
            return batch
        _lock_rows_of(batch)
        ids = list(batch.decisions.filter(is_current=True).values_list("comparison_id", flat=True))
        batch.undone_at, batch.undone_by = timezone.now(), by
        batch.save(update_fields=["undone_at", "undone_by"])
        rows = batch.decisions.filter(is_current=True).update(is_current=False)
        _restore_recipe(batch) if batch.recipe_id else _restore_hand(ids)
        audit.record(
            actor=by,
            project=batch.project,
            action="undo decisions",
            subject=batch,
            details={"rows": rows},
        )
    return batch


def _checked(action: Action | str, label: int | None, soften_to: float | None) -> Verdict:
    if action not in BY_HAND:
        known = ", ".join(BY_HAND)
        raise UndecidableRequest(f"There is no action {action!r}; choose one of {known}.", fields={"action": "unknown"})
    verdict = Verdict(Action(action), label, soften_to)
    if label is not None and verdict.action not in LABELLED_ACTIONS:
        raise UndecidableRequest(f"{verdict.action.label} puts no label in force.", fields={"label": "not wanted here"})
    if label is not None and not -3 <= label <= 3:
        raise UndecidableRequest("A label lies between -3 (A much better) and 3.", fields={"label": "-3 to 3"})
    if (verdict.action == Action.SOFTEN) != (soften_to is not None):
        raise UndecidableRequest("Soften, and only soften, takes soften_to.", fields={"soften_to": "with soften only"})
    if soften_to is not None and not 0 <= soften_to <= 1:
        raise UndecidableRequest("soften_to is a probability, 0 to 1.", fields={"soften_to": "0 to 1"})
    return verdict


def _lock(project: Project, ids: list[int]) -> None:
    """One writer per row: the current decision is found, then replaced."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT id FROM corpus_comparison WHERE project_id = %s AND id = ANY(%s)"
            " ORDER BY id FOR NO KEY UPDATE) AS locked",
            [project.pk, ids],
        )
        found = cursor.fetchone()[0]
    if found != len(ids):
        missing = len(ids) - found
        raise UnknownComparisons(
            f"{missing} of these {len(ids)} comparisons are not in {project.slug}.",
            fields={"comparison_ids": f"{missing} unknown"},
        )


# A row's own label: imported, else the consensus in force; a hand's label where it has neither.
OWN_LABEL = """
COALESCE(
    comparison.label,
    (SELECT consensus.label
     FROM annotation_consensus AS consensus
     JOIN annotation_campaign AS campaign
       ON campaign.id = consensus.campaign_id AND consensus.method IN (campaign.consensus_method, 'adjudicated')
     WHERE consensus.comparison_id = comparison.id
     ORDER BY consensus.method = 'adjudicated' DESC, consensus.updated_at DESC, consensus.id DESC
     LIMIT 1),
    (SELECT hand.label
     FROM curation_decision AS hand
     JOIN curation_decisionbatch AS taken ON taken.id = hand.batch_id AND taken.undone_at IS NULL
     WHERE hand.comparison_id = comparison.id AND hand.is_by_hand AND hand.label IS NOT NULL
     ORDER BY hand.id DESC
     LIMIT 1)
)
"""


def _refuse_rows_without_label(verdict: Verdict, ids: list[int]) -> None:
    if verdict.action not in LABELLED_ACTIONS or verdict.label is not None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM corpus_comparison AS comparison WHERE id = ANY(%s) AND {OWN_LABEL} IS NULL",  # noqa: S608 - a constant
            [ids],
        )
        without = cursor.fetchone()[0]
    if without:
        raise UndecidableRequest(
            f"{without} of {len(ids)} rows have no label of their own to {verdict.action}; say which side is better.",
            fields={"label": "needed"},
        )


def _replace(batch: DecisionBatch, verdict: Verdict, ids: list[int]) -> None:
    Decision.objects.filter(comparison_id__in=ids, is_by_hand=True, is_current=True).update(is_current=False)
    sign = -1 if verdict.action == Action.FLIP else 1
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO curation_decision
                (batch_id, comparison_id, action, is_by_hand, rule, label, soften_to, is_current)
            SELECT %s, comparison.id, %s, true, '',
                   CASE WHEN %s THEN COALESCE(%s::smallint, (%s * {OWN_LABEL})::smallint) END, %s, true
            FROM corpus_comparison AS comparison
            WHERE comparison.id = ANY(%s)
            ORDER BY comparison.id
            """,  # noqa: S608 - a constant
            [
                batch.pk,
                verdict.action.value,
                verdict.action in LABELLED_ACTIONS,
                verdict.label,
                sign,
                verdict.soften_to,
                ids,
            ],
        )


def _lock_rows_of(batch: DecisionBatch) -> None:
    """As the writers do: a recipe's application holds the project, a hand holds its rows."""
    if batch.recipe_id:
        Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
    else:
        _lock(batch.project, sorted(batch.decisions.values_list("comparison_id", flat=True)))


def _restore_recipe(batch: DecisionBatch) -> None:
    """An application covers the project, so what stood before is all of the former application."""
    standing = DecisionBatch.objects.filter(project=batch.project, recipe__isnull=False, undone_at=None)
    if standing.filter(pk__gt=batch.pk).exists():
        return
    former = standing.filter(pk__lt=batch.pk).order_by("-pk").first()
    if former is not None:
        former.decisions.update(is_current=True)


def _restore_hand(ids: list[int]) -> None:
    """A row's former decision is its newest one that nobody took back."""
    newest = (
        Decision.objects.filter(comparison_id__in=ids, is_by_hand=True, batch__undone_at=None)
        .order_by("comparison_id", "-pk")
        .distinct("comparison_id")
    )
    Decision.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(is_current=True)
