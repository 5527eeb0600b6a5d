"""Reads of audits: the list, the next item as it is asked, how far one is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import Project, User
from corpus.models import Prompt, Response
from curation.audits.claim_asked import Claimed, claimed
from curation.audits.policy import policy_of, threshold
from curation.models import Audit, AuditAnswer, AuditItem, Question


@dataclass(frozen=True)
class Asked:
    """An item as its curator sees it: nothing tells the label, or which side is which."""

    position: int
    prompt: Prompt
    first: Response
    second: Response
    # What an answer "the first is better" and "the second is better" say of the stored sides.
    first_is: str
    second_is: str
    # What is asked about instead, in an audit of a claim.
    claimed: Claimed | None = None


@dataclass(frozen=True)
class Progress:
    answered: int
    size: int

    @property
    def left(self) -> int:
        return self.size - self.answered


def audits_of(project: Project) -> QuerySet[Audit]:
    """Newest first, each with `size` and `answered`."""
    standing = Count("items__answers", filter=Q(items__answers__undone_at=None), distinct=True)
    counted = Audit.objects.filter(project=project).annotate(size=Count("items", distinct=True), answered=standing)
    return counted.select_related("recipe", "created_by").order_by("-pk")


def progress_of(audit: Audit) -> Progress:
    answered = AuditAnswer.objects.filter(item__audit=audit, undone_at=None).count()
    return Progress(answered, AuditItem.objects.filter(audit=audit).count())


def next_asked(audit: Audit) -> Asked | None:
    """The first of the sample that nobody has answered."""
    answered = Exists(AuditAnswer.objects.filter(item=OuterRef("pk"), undone_at=None))
    items = AuditItem.objects.filter(~answered, audit=audit).order_by("position")
    item = items.select_related("comparison__prompt", "comparison__response_a", "comparison__response_b").first()
    if item is None:
        return None
    return _asked(item, claimed(audit, item) if audit.question == Question.CLAIM else None)


def may_undo(audit: Audit, user: User) -> bool:
    return AuditAnswer.objects.filter(item__audit=audit, author=user, undone_at=None).exists()


def state_of(audit: Audit) -> str:
    """open, cancelled, or what it found: audited, not shown; "measured" where no rule was asked about."""
    if audit.cancelled_at is not None:
        return "cancelled"
    if audit.finished_at is None:
        return "open"
    if not audit.rule_key:
        return "measured"
    passes = audit.findings["bound"] > threshold(policy_of(audit.project), audit.action, audit.question)
    return "audited" if passes else "not shown"


def _asked(item: AuditItem, claim: Claimed | None) -> Asked:
    row = item.comparison
    sides = [("b", row.response_b), ("a", row.response_a)] if item.is_b_first else [
        ("a", row.response_a), ("b", row.response_b),
    ]  # fmt: skip
    (first_is, first), (second_is, second) = sides
    return Asked(item.position, row.prompt, first, second, first_is, second_is, claim)
