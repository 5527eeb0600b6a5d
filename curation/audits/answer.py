"""What a curator says of the sample, blind to labels and votes; and the end of it, after which nothing changes."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit as trail
from accounts.models import User
from accounts.problems import Conflict, Invalid, NotFound
from curation.audits.findings import HITS, findings_of
from curation.models import Answer, Audit, AuditAnswer, AuditItem, Question

ANSWERS = {
    Question.LABEL: (Answer.A, Answer.B, Answer.TIE, Answer.UNSURE),
    Question.CLAIM: (Answer.YES, Answer.NO, Answer.UNSURE),
    Question.GIVEN: (Answer.A, Answer.B, Answer.TIE, Answer.UNSURE),
}


class AuditIsClosed(Conflict):
    code = "audit_is_closed"


class AlreadyAnswered(Conflict):
    code = "already_answered"


class NotAllAnswered(Conflict):
    code = "not_all_answered"


class UnknownAnswer(Invalid):
    code = "unknown_answer"


def answer_item(*, audit: Audit, position: int, answer: str, by: User) -> AuditAnswer:
    """The same answer twice is one answer."""
    _check(audit, answer)
    with transaction.atomic():
        locked = _open(audit)
        item = AuditItem.objects.filter(audit=locked, position=position).first()
        if item is None:
            raise NotFound(f"The sample has no item {position}.")
        standing = AuditAnswer.objects.filter(item=item, undone_at=None).first()
        if standing is not None and (standing.answer, standing.author_id) == (answer, by.pk):
            return standing
        try:
            with transaction.atomic():
                return AuditAnswer.objects.create(item=item, author=by, answer=answer)
        except IntegrityError as error:
            raise AlreadyAnswered("This one is answered already; undo that answer to give another.") from error


def _check(audit: Audit, answer: str) -> None:
    if answer in ANSWERS[Question(audit.question)]:
        return
    asked = (
        "This audit asks whether what the rule says holds: answer yes, no or unsure."
        if audit.question == Question.CLAIM
        else "This audit asks which response is better: answer a, b, tie or unsure."
    )
    raise UnknownAnswer(asked, fields={"answer": "unknown"})


def undo_answer(*, audit: Audit, by: User) -> AuditItem | None:
    """Take back the caller's newest standing answer; the item is asked again."""
    with transaction.atomic():
        locked = _open(audit)
        mine = AuditAnswer.objects.filter(item__audit=locked, author=by, undone_at=None)
        newest = mine.select_related("item").order_by("-created_at", "-pk").first()
        if newest is None:
            return None
        newest.undone_at = timezone.now()
        newest.save(update_fields=["undone_at"])
        return newest.item


def finish_audit(*, audit: Audit, by: User) -> Audit:
    """Work out what the answers say; from now on they stay. Twice is once."""
    with transaction.atomic():
        locked = Audit.objects.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.finished_at is not None:
            return locked
        locked = _open(audit)
        answered = AuditAnswer.objects.filter(item__audit=locked, undone_at=None).count()
        missing = AuditItem.objects.filter(audit=locked).count() - answered
        if missing:
            raise NotAllAnswered(f"{missing} of the sample are not answered yet; a part of it would prove nothing.")
        locked.findings = findings_of(locked)
        locked.finished_at = timezone.now()
        locked.save(update_fields=["findings", "finished_at"])
        hits, _ = HITS[Question(locked.question)]
        details = {name: locked.findings[name] for name in ("n", hits, "bound")} | {"rule": locked.rule}
        trail.record(actor=by, project=locked.project, action="finish audit", subject=locked, details=details)
    return locked


def cancel_audit(*, audit: Audit, by: User) -> Audit:
    """Give the sample up unseen: its answers are never counted."""
    with transaction.atomic():
        locked = Audit.objects.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.cancelled_at is not None:
            return locked
        locked = _open(audit)
        locked.cancelled_at = timezone.now()
        locked.save(update_fields=["cancelled_at"])
        trail.record(
            actor=by, project=locked.project, action="cancel audit", subject=locked, details={"rule": locked.rule}
        )
    return locked


def _open(audit: Audit) -> Audit:
    locked = Audit.objects.select_for_update(of=("self",)).select_related("project").get(pk=audit.pk)
    if locked.finished_at is not None or locked.cancelled_at is not None:
        raise AuditIsClosed("This audit is closed; its answers stay as they are.")
    return locked
