"""A curator decides what the votes left open: the decision is the consensus in force of its comparison at once.

Append-only: a decision is never changed, the newest of a comparison stands, and taking one back is a row of its own.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.problems import Conflict, Invalid, NotFound
from annotation.consensus.asked_in import answers_on, tasks_asking
from annotation.models import Adjudication, Campaign, Consensus

ADJUDICATED = "adjudicated"
MAX_REASON_CHARACTERS = 2000


class NotInCampaign(NotFound):
    code = "not_in_campaign"


class NoVotesYet(Conflict):
    code = "no_votes_yet"


class NotAdjudicated(Conflict):
    code = "not_adjudicated"


class InvalidAdjudication(Invalid):
    code = "invalid_adjudication"


def adjudicate(
    *,
    campaign: Campaign,
    comparison_id: int,
    by: User,
    label: int | None = None,
    is_both_bad: bool = False,
    reason: str = "",
    now: datetime | None = None,
) -> Adjudication:
    """`label` -3..3, negative = response_a better, or `is_both_bad`. The same decision again changes nothing."""
    _check(label, is_both_bad, reason)
    now = now or timezone.now()
    with transaction.atomic():
        _lock_task(campaign, comparison_id)
        standing = standing_adjudication(campaign, comparison_id)
        if standing is not None and _says(standing) == (label, is_both_bad, reason, by.pk):
            return standing
        said = answers_on(campaign, comparison_id)
        count = said.exclude(choice__isnull=True, is_both_bad=False, payload__ranking__isnull=True).count()
        if not count:
            raise NoVotesYet(f"Nobody has judged comparison {comparison_id} here yet; there is nothing to adjudicate.")
        made = Adjudication.objects.create(
            campaign=campaign,
            comparison_id=comparison_id,
            label=label,
            is_both_bad=is_both_bad,
            reason=reason,
            decided_by=by,
            decided_at=now,
        )
        _put_in_force(made, count)
        details = {"comparison": comparison_id, "label": "both_bad" if is_both_bad else label}
        record(actor=by, project=campaign.project, action="adjudicate", subject=campaign, details=details)
    return made


def take_back(*, campaign: Campaign, comparison_id: int, by: User, now: datetime | None = None) -> Adjudication:
    """The votes speak for themselves again."""
    with transaction.atomic():
        _lock_task(campaign, comparison_id)
        if standing_adjudication(campaign, comparison_id) is None:
            raise NotAdjudicated(f"Comparison {comparison_id} has no decision to take back; reload the page.")
        made = Adjudication.objects.create(
            campaign=campaign,
            comparison_id=comparison_id,
            is_taken_back=True,
            decided_by=by,
            decided_at=now or timezone.now(),
        )
        Consensus.objects.filter(campaign=campaign, comparison_id=comparison_id, method=ADJUDICATED).delete()
        details = {"comparison": comparison_id}
        record(actor=by, project=campaign.project, action="take back adjudication", subject=campaign, details=details)
    return made


def standing_adjudication(campaign: Campaign, comparison_id: int) -> Adjudication | None:
    newest = Adjudication.objects.filter(campaign=campaign, comparison_id=comparison_id).order_by("-id").first()
    return None if newest is None or newest.is_taken_back else newest


def adjudications_of(campaign: Campaign, *, before: int | None = None) -> QuerySet[Adjudication]:
    """All that was ever decided, newest first."""
    made = Adjudication.objects.filter(campaign=campaign).order_by("-id")
    return made if before is None else made.filter(id__lt=before)


def _check(label: int | None, is_both_bad: bool, reason: str) -> None:
    problems = {}
    if is_both_bad == (label is not None):
        problems["label"] = "either a label from -3 to 3, or both_bad"
    elif label is not None and (isinstance(label, bool) or not -3 <= label <= 3):
        problems["label"] = "must be a whole number from -3 to 3 (negative = response_a is better)"
    if len(reason) > MAX_REASON_CHARACTERS or "\0" in reason:
        problems["reason"] = f"must have at most {MAX_REASON_CHARACTERS} characters, without NUL"
    if problems:
        raise InvalidAdjudication("This decision cannot be taken.", problems)


def _lock_task(campaign: Campaign, comparison_id: int) -> None:
    """Two curators who decide the same comparison come one after the other."""
    if tasks_asking(campaign, comparison_id).select_for_update(no_key=True).first() is None:
        raise NotInCampaign(f"There is no comparison {comparison_id} in {campaign.name}.")


def _says(made: Adjudication) -> tuple[int | None, bool, str, int]:
    return made.label, made.is_both_bad, made.reason, made.decided_by_id


def _put_in_force(made: Adjudication, votes: int) -> None:
    """One person decides, so the confidence is 1 by definition; `votes` are those the decision was made over."""
    label = made.label
    answer = "both_bad" if label is None else "a" if label < 0 else "b" if label > 0 else "tie"
    Consensus.objects.update_or_create(
        campaign=made.campaign,
        comparison_id=made.comparison_id,
        method=ADJUDICATED,
        defaults={
            "label": label,
            "is_both_bad": made.is_both_bad,
            "confidence": 1.0,
            "votes": votes,
            "posterior": {answer: 1.0},
            "updated_at": made.decided_at,
        },
    )
