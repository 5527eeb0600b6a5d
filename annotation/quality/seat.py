"""Who gets what next, where a campaign has quality rules: the one place that decides it.

A person's Participant row is locked first, in every transaction that decides about them, so that their windows take
turns and what is written of them goes with the claim or not at all. Then, in this order: the item they hold; training;
qualification; what they gave back unanswered beside the work; tasks that a curator reserved for them; gold, when it is
due; an own comparison again, when that is due; and the next open task.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.problems import Conflict, Forbidden, Problem
from annotation.desk.deal import Names, deal_again, deal_beside, deal_repeat, deal_task, deal_work
from annotation.desk.items import ClaimedItem
from annotation.models import Campaign, Participant, ParticipantState, Purpose, Unit
from annotation.quality import beside
from annotation.quality.qualify import qualification_result, said

PHASES = {ParticipantState.TRAINING: Purpose.TRAINING, ParticipantState.QUALIFYING: Purpose.QUALIFICATION}


class NotInvited(Forbidden):
    code = "not_invited"


class NotQualified(Conflict):
    code = "not_qualified"


class NotReady(Conflict):
    code = "not_ready"


@dataclass(frozen=True)
class Dealt:
    """An item; or why there is none; or neither, when nothing is left."""

    item: ClaimedItem | None = None
    refusal: Problem | None = None


def is_governed(campaign: Campaign) -> bool:
    """Otherwise a claim asks nothing of these rules."""
    return bool(campaign.quality) or campaign.is_invited_only or campaign.has_participants


@dataclass
class Seat:
    """One person in one campaign, locked until the transaction ends."""

    campaign: Campaign
    annotator_id: int
    # None in a campaign without quality settings, for those whom no curator has done anything about.
    person: Participant | None
    # Why they get nothing, whatever is left.
    refusal: Problem | None = None
    _changed: set[str] = field(default_factory=set)

    @classmethod
    def take(cls, campaign: Campaign, annotator_id: int) -> Seat:
        person = locked_participant(campaign, annotator_id)
        if person is None and campaign.is_invited_only:
            words = f"The campaign {campaign.name!r} is for those its curators invited; ask one of them to let you in."
            return cls(campaign, annotator_id, None, NotInvited(words))
        if person is None and campaign.quality:
            state = ParticipantState.ACTIVE if beside.has_worked(campaign, annotator_id) else ParticipantState.INVITED
            fresh = Participant(campaign=campaign, annotator_id=annotator_id, state=state)
            Participant.objects.bulk_create([fresh], ignore_conflicts=True)
            person = locked_participant(campaign, annotator_id)
        if person is not None and person.state == ParticipantState.REMOVED:
            words = f"A curator has ended your part in {campaign.name!r}. What you answered is kept."
            return cls(campaign, annotator_id, person, NotInvited(words))
        return cls(campaign, annotator_id, person)

    @property
    def is_removed(self) -> bool:
        return self.person is not None and self.person.state == ParticipantState.REMOVED

    def answered(self, purpose: Purpose) -> None:
        """After a new answer: counts work, and moves on whoever has ended a round with it."""
        if self.person is None:
            return
        if purpose == Purpose.WORK:
            self.person.since_gold += 1
            self.person.since_repeat += 1
            self._changed |= {"since_gold", "since_repeat"}
        elif purpose in PHASES.values():
            self._round_item()
        self._save()

    def deal(self, names: Names) -> Dealt:
        if self.refusal is not None or self.person is None:
            return Dealt(None if self.refusal else deal_work(names, Unit(self.campaign.unit)), self.refusal)
        task_id = self._round_item()
        if task_id is not None:
            purpose = PHASES[ParticipantState(self.person.state)]
            dealt = Dealt(deal_beside(names, Unit(self.campaign.unit), task_id, purpose))
        elif self.person.state == ParticipantState.ACTIVE:
            dealt = Dealt(self._work(names))
        else:
            dealt = Dealt(refusal=self._why_not())
        self._save()
        return dealt

    def _round_item(self) -> int | None:
        """The next item of training or qualification; moves the person on where a round has ended."""
        person, quality = self.person, self.campaign.quality
        if person is None:
            return None
        if person.state == ParticipantState.INVITED:
            self._move_to(ParticipantState.TRAINING)
        if person.state not in PHASES:
            return None
        done = beside.counts(self.campaign, self.annotator_id)
        if person.state == ParticipantState.TRAINING:
            wanted = quality.get("training", {}).get("items", 0)
            item = self._unanswered(Purpose.TRAINING) if done.trained < wanted else None
            if item is not None:
                return item
            self._move_to(ParticipantState.QUALIFYING)
        if person.state == ParticipantState.QUALIFYING:
            round_ = quality.get("qualification")
            if round_ is None:
                self._move_to(ParticipantState.ACTIVE)
                return None
            item = self._unanswered(Purpose.QUALIFICATION) if done.qualified < round_["items"] else None
            if item is None and done.qualified:
                self._decide(round_["threshold"])
            return item
        return None

    def _unanswered(self, purpose: Purpose) -> int | None:
        return beside.next_of_round(self.campaign, self.annotator_id, purpose, self._chance("round"))

    def _decide(self, threshold: float) -> None:
        result = qualification_result(self.campaign, self.annotator_id, threshold)
        if self.person is None or result is None:
            return
        self.person.qualification = result
        self._changed.add("qualification")
        has_passed = result["right"] >= threshold * result["n"]
        self._move_to(ParticipantState.ACTIVE if has_passed else ParticipantState.FAILED)

    def _why_not(self) -> Problem:
        if self.person is not None and self.person.state == ParticipantState.FAILED:
            words = f"Thank you for taking the qualification round of {self.campaign.name!r}. "
            result = f"{said(self.person.qualification)} " if self.person.qualification else ""
            return NotQualified(f"{words}{result}So there is no work for you here; a curator may let you in anyway.")
        name = self.campaign.name
        return NotReady(f"The qualification round of {name!r} has no items yet; a curator has to choose them first.")

    def _work(self, names: Names) -> ClaimedItem | None:
        unit = Unit(self.campaign.unit)
        if not self.campaign.quality:
            return self._reserved(names, unit) or deal_work(names, unit)
        given = beside.counts(self.campaign, self.annotator_id)
        return (
            (deal_again(names, unit, given.given_back) if given.given_back is not None else None)
            or self._reserved(names, unit)
            or self._gold(names, unit, given.golds)
            or self._repeat(names, unit)
            or deal_work(names, unit)
        )

    def _reserved(self, names: Names, unit: Unit) -> ClaimedItem | None:
        if self.person is None:
            return None
        for task_id in list(self.person.queue):
            item = deal_task(names, unit, task_id)
            if item is not None or not beside.is_open_to(task_id, self.annotator_id):
                self.person.queue = [other for other in self.person.queue if other != task_id]
                self._changed.add("queue")
            if item is not None:
                return item
        return None

    def _gold(self, names: Names, unit: Unit, given: int) -> ClaimedItem | None:
        """About every n-th: between half of n and one and a half work items lie between two, by chance."""
        every = self.campaign.quality.get("gold", {}).get("every")
        if every is None or self.person is None:
            return None
        half = every // 2
        if self.person.since_gold < every - half + self._chance(f"gold {given}") % (2 * half + 1):
            return None
        self.person.since_gold = 0
        self._changed.add("since_gold")
        task_id = beside.unseen_gold(self.campaign, self.annotator_id, self._chance("gold"))
        return deal_beside(names, unit, task_id, Purpose.GOLD) if task_id is not None else None

    def _repeat(self, names: Names, unit: Unit) -> ClaimedItem | None:
        repeats = self.campaign.quality.get("repeats")
        if repeats is None or self.person is None or self.person.since_repeat < repeats["every"]:
            return None
        # When nothing is old enough, it is looked for again after as many items.
        self.person.since_repeat = 0
        self._changed.add("since_repeat")
        original = beside.to_repeat(
            self.campaign,
            self.annotator_id,
            items=repeats.get("after_items", 0),
            until=_days_before(names["now"], repeats.get("after_days", 0)),
            chance=self._chance(f"repeat {names['now'].timestamp()}") % repeats["every"],
        )
        return deal_repeat(names, unit, original) if original is not None else None

    def _move_to(self, state: ParticipantState) -> None:
        if self.person is not None:
            self.person.state = state
            self._changed.add("state")

    def _save(self) -> None:
        if self._changed and self.person is not None:
            self.person.updated_at = timezone.now()
            self.person.save(update_fields=[*sorted(self._changed), "updated_at"])
            self._changed.clear()

    def _chance(self, about: str) -> int:
        """The same for the same person and campaign, and not to be guessed by them; 0 <= chance < 2**31."""
        text = f"{self.campaign.id} {self.annotator_id} {about}".encode()
        digest = hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).digest()
        return int.from_bytes(digest[:4], "big") >> 1


def is_qualifying(campaign: Campaign, annotator_id: int) -> bool:
    return Participant.objects.filter(
        campaign=campaign, annotator=annotator_id, state=ParticipantState.QUALIFYING
    ).exists()


def locked_participant(campaign: Campaign, annotator_id: int) -> Participant | None:
    held: Any = Participant.objects.select_for_update(no_key=True)
    found: Participant | None = held.filter(campaign=campaign, annotator=annotator_id).first()
    return found


def _days_before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)
