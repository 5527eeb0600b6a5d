"""The comparison that may follow a rating or a rubric: the pairwise kind's own answer, asked for by a setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from annotation.kinds import pairwise
from annotation.kinds._base import Answer, Asked, Payload, Setting
from annotation.kinds._texts import problem_with_reason
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

OFF = "off"
PASSED_ON = ("tie", "both_bad", "reason")
COMPARE_SETTINGS = {
    "compare": Setting(
        OFF,
        "Ask afterwards which response is better: off, in 7 steps or 3-way. Comparisons only.",
        (OFF, pairwise.SEVEN_STEPS, pairwise.THREE_WAY),
    ),
    **{name: pairwise.SETTINGS[name] for name in PASSED_ON},
}


@dataclass(frozen=True)
class Compared:
    """The part of an answer that is not about attributes or criteria."""

    answer: Answer = field(default_factory=lambda: Answer({}))
    problems: dict[str, str] = field(default_factory=dict)

    def answer_with(self, first: Payload) -> Answer:
        return Answer({**first, **self.answer.payload}, self.answer.choice, self.answer.is_both_bad)


def take_compared(payload: Payload, settings: dict[str, Any], asked: Asked) -> Compared:
    """Checks what is left of a payload once the kind has taken its own fields out."""
    compares = settings["compare"] != OFF and asked.response_a_id is not None
    known = pairwise.FIELDS if compares else ("reason",)
    problems = {str(name)[:40]: "is not asked for here" for name in payload if name not in known}
    asking = pairwise_settings(settings)
    if compares:
        problems |= pairwise.problems_with(payload, asking, asked)
        return Compared(problems=problems) if problems else Compared(pairwise.answer_of(payload, asked))
    reason = payload.get("reason", "")
    if problem := problem_with_reason(reason, asking):
        problems["reason"] = problem
    return Compared(Answer({"reason": reason} if reason else {}), problems)


def pairwise_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """What the pairwise kind would be set to."""
    scale = pairwise.SEVEN_STEPS if settings["compare"] == OFF else settings["compare"]
    return pairwise.in_force({**{name: settings[name] for name in PASSED_ON}, "scale": scale})


def comparison_shown(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    """For the fragment _compare.html; without steps, there is nothing to compare."""
    if campaign.settings["compare"] == OFF or item.unit != Unit.COMPARISON:
        return {"steps": []}
    asking = Campaign(settings=pairwise_settings(campaign.settings))
    return pairwise.presented(item, asking)


def pair_steps(item: ClaimedItem) -> list[pairwise.Step]:
    """All seven, sides as shown."""
    return pairwise.steps(item, Campaign(settings={}))


def words_compared(judgment: Judgment) -> list[str]:
    """Sides in the letters their author saw."""
    if judgment.is_both_bad:
        return ["both bad"]
    if judgment.choice is None or judgment.comparison is None:
        return []
    steps = pairwise.STEP_WORDS[pairwise_settings(judgment.campaign.settings)["scale"]]
    sign = 1 if judgment.order_shown[0] == judgment.comparison.response_a_id else -1
    return [steps[len(steps) // 2 + sign * judgment.choice]]
