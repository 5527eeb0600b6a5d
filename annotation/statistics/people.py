"""How each annotator of a campaign does: every figure with its n and a 95 % interval, or the reason why there is none.

What counts are standing answers; those given as work for all figures but three. Agreement is with the majority of the
others on the item, own answer left out (no majority where two answers lead). Consistency is on second looks: the same
item again with the sides swapped; where it comes out as the other response but the same side, the side decided. Right
on gold counts answers to items whose answer is known. Side bias, length bias and accuracy against the likely truth are
those of biases.py, pace that of pace.py, shares have Wilson's interval.

Figures of one person are not independent of each other, and one in twenty intervals of unbiased people leaves the
neutral value out: with forty people, two will look biased by chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.models import Campaign, Purpose
from annotation.statistics import biases
from annotation.statistics.columns import Column, Figure, nothing, shares, shares_of_odds
from annotation.statistics.estimates import Ints
from annotation.statistics.gold import gold_answers
from annotation.statistics.pace import answers_per_hour, median_seconds
from annotation.statistics.read import BOTH_BAD, PURPOSES, TIE, A, B, Bools, Votes, kept_until_answered, votes_of
from ledger.shares import Z_95

MIN_ANSWERS = 10
MIN_SHARED = 20
STEP = 10
MIN_REPEATS = 5
MIN_GOLD = 5
# Items with several preferences, and the share of them seen in both orders, before biases are told apart from quality.
MIN_TOGETHER = 50
MIN_IN_BOTH_ORDERS = 0.1

TOO_FEW_PREFERENCES = f"Needs {biases.MIN_PREFERENCES} preferences on comparisons that others judged; there are {{n}}."
NO_SECOND_OPINION = f"Needs {MIN_TOGETHER} comparisons with preferences of several people."
NOT_SETTLED = "The answers so far do not tell ability, side and length apart."
ORDER_UNKNOWN = "The file does not say for all votes which response was shown first."
ONE_ORDER = "Every comparison was shown in one order only, so the side cannot be told from quality."


@dataclass(frozen=True)
class CampaignBias:
    """Of all people together, each by the number of their preferences."""

    first: Figure
    longer: Figure


@dataclass(frozen=True)
class CampaignPeople:
    """A row per annotator, in the order of their ids; columns by name."""

    annotators: Ints
    columns: dict[str, Column]
    whole: CampaignBias

    def place_of(self, annotator_id: int) -> int | None:
        place = int(np.searchsorted(self.annotators, annotator_id))
        is_there = place < len(self.annotators) and self.annotators[place] == annotator_id
        return place if is_there else None

    def figures(self, place: int) -> dict[str, Figure]:
        return {name: column.figure(place) for name, column in self.columns.items()}

    def ranked(self, by: str, *, descending: bool) -> Ints:
        """Places in the order of a column, those without a figure last, equal ones by id."""
        values = self.columns[by].value
        known = ~np.isnan(values)
        keys = np.where(known, -values if descending else values, 0.0)
        return np.lexsort((self.annotators, keys, ~known))


@kept_until_answered
def people_of_campaign(campaign: Campaign) -> CampaignPeople:
    found = people_in(votes_of(campaign), gold_answers(campaign))
    return found if is_order_known(campaign) else _without_sides(found)


def is_order_known(campaign: Campaign) -> bool:
    """False where votes came from a file that does not say which response was shown first."""
    return campaign.settings.get("order_known") is not False


def _without_sides(found: CampaignPeople) -> CampaignPeople:
    untold = {name: nothing(found.columns[name].n, ORDER_UNKNOWN) for name in ("first", "took_first")}
    whole = CampaignBias(Figure(found.whole.first.n, reason=ORDER_UNKNOWN), found.whole.longer)
    return CampaignPeople(found.annotators, found.columns | untold, whole)


def people_in(votes: Votes, gold: dict[int, bool]) -> CampaignPeople:
    """`gold` says of judgments by id whether they were right."""
    annotators, person = np.unique(votes.annotator, return_inverse=True)
    is_work = votes.purpose == PURPOSES.index(Purpose.WORK)
    counting = is_work & votes.has_direction
    n_people = len(annotators)
    work, of_work = votes.where(counting), person[counting]
    columns = {
        "answers": _counts(np.bincount(person[is_work], minlength=n_people)),
        **_habits(work, of_work, n_people),
        **_agreement(work, of_work, n_people),
        **_consistency(votes, person, n_people),
        "gold": _gold(votes, person, gold, n_people),
        "seconds": median_seconds(person[is_work], votes.seconds[is_work], n_people),
        "per_hour": answers_per_hour(person, votes.at, (~np.isnan(votes.seconds)).astype(float), n_people),
    }
    told, whole = _biases(work, of_work, n_people)
    return CampaignPeople(annotators, columns | told, whole)


def _counts(n: Ints) -> Column:
    return Column(n.astype(np.float64), n.astype(np.float64), n.astype(np.float64), n, "")


def _habits(work: Votes, person: Ints, n_people: int) -> dict[str, Column]:
    """What a person answers, whatever was asked: raw shares that nothing is taken out of."""
    direction = work.direction
    is_preference = (direction == A) | (direction == B)
    n = np.bincount(person, minlength=n_people)
    preferences = np.bincount(person[is_preference], minlength=n_people)
    took_first = is_preference & ((direction == B) == work.is_b_first)
    longer = is_preference & (work.log2_lengths != 0)
    took_longer = longer & ((direction == B) == (work.log2_lengths > 0))

    def share(hits: Bools, of: Ints, what: str) -> Column:
        reason = f"Needs {MIN_ANSWERS} {what}; there are {{n}}."
        return shares(np.bincount(person, hits.astype(float), n_people), of, least=MIN_ANSWERS, reason=reason)

    return {
        "ties": share(direction == TIE, n, "answers"),
        "both_bad": share(direction == BOTH_BAD, n, "answers"),
        "strongest": share(np.abs(work.choice) == 3, preferences, "preferences"),
        "took_first": share(took_first, preferences, "preferences"),
        "took_longer": share(took_longer, np.bincount(person[longer], minlength=n_people), "preferences"),
    }


def agreed_with_others(work: Votes) -> tuple[Ints, Ints]:
    """Per answer whether the others on the item have a majority, and whether it is this answer; 0 or 1."""
    if not len(work):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    _, item = np.unique(work.comparison, return_inverse=True)
    direction = work.direction
    counts = np.bincount(item * 4 + direction, minlength=4 * (item.max() + 1)).reshape(-1, 4)
    others = counts[item]
    others[np.arange(len(others)), direction] -= 1
    most = others.max(axis=1)
    has_majority = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    is_same = has_majority & (others[np.arange(len(others)), direction] == most)
    return has_majority.astype(np.int64), is_same.astype(np.int64)


def _agreement(work: Votes, person: Ints, n_people: int) -> dict[str, Column]:
    has_majority, is_same = agreed_with_others(work)
    counted = has_majority == 1
    whose, same = person[counted], is_same[counted]
    n = np.bincount(whose, minlength=n_people)
    order = np.argsort(whose, kind="stable")
    rank = np.empty(len(whose), dtype=np.int64)
    rank[order] = np.arange(len(whose)) - (np.cumsum(n) - n)[whose[order]]
    in_steps = rank < (n // STEP * STEP)[whose]
    reason = f"Needs {MIN_SHARED} comparisons on which others have a majority; there are {{n}}."
    return {
        "agreement": shares(np.bincount(whose, same, n_people), n, least=MIN_SHARED, reason=reason),
        # For the person's own eyes: it stands still for STEP answers, so that no single one of them moves it.
        "agreement_in_steps": shares(
            np.bincount(whose[in_steps], same[in_steps], n_people), n // STEP * STEP, least=MIN_SHARED, reason=reason
        ),
    }


def second_looks(votes: Votes) -> tuple[Ints, Ints]:
    """Places of each second look and of the first answer of the same person to the same comparison."""
    repeat = PURPOSES.index(Purpose.REPEAT)
    again = np.flatnonzero((votes.purpose == repeat) & votes.has_direction)
    before = np.flatnonzero(
        (votes.purpose != repeat) & votes.has_direction & np.isin(votes.annotator, votes.annotator[again])
    )
    first = {(int(votes.annotator[p]), int(votes.comparison[p])): int(p) for p in before}
    pairs = [(int(p), first.get((int(votes.annotator[p]), int(votes.comparison[p])))) for p in again]
    found = [(later, earlier) for later, earlier in pairs if earlier is not None]
    return np.array([p for p, _ in found], dtype=np.int64), np.array([p for _, p in found], dtype=np.int64)


def _consistency(votes: Votes, person: Ints, n_people: int) -> dict[str, Column]:
    later, earlier = second_looks(votes)
    direction = votes.direction
    whose = person[later]
    same = direction[later] == direction[earlier]
    both_prefer = np.isin(direction[later], (A, B)) & np.isin(direction[earlier], (A, B))
    swapped = both_prefer & (votes.is_b_first[later] != votes.is_b_first[earlier])
    reason = f"Needs {MIN_REPEATS} second looks; there are {{n}}."
    return {
        "consistency": shares(
            np.bincount(whose, same, n_people),
            np.bincount(whose, minlength=n_people),
            least=MIN_REPEATS,
            reason=reason,
        ),
        "stuck_to_side": shares(
            np.bincount(whose, swapped & ~same, n_people),
            np.bincount(whose, swapped, n_people).astype(np.int64),
            least=MIN_REPEATS,
            reason=reason.replace("second looks", "second looks with the sides swapped"),
        ),
    }


def _gold(votes: Votes, person: Ints, gold: dict[int, bool], n_people: int) -> Column:
    places = np.flatnonzero(np.isin(votes.id, np.array(list(gold), dtype=np.int64)))
    right = np.array([gold[int(number)] for number in votes.id[places]], dtype=float)
    n = np.bincount(person[places], minlength=n_people)
    reason = f"Needs {MIN_GOLD} answers to gold items; there are {{n}}."
    return shares(np.bincount(person[places], right, n_people), n, least=MIN_GOLD, reason=reason)


def _biases(work: Votes, person: Ints, n_people: int) -> tuple[dict[str, Column], CampaignBias]:
    direction = work.direction
    is_preference = (direction == A) | (direction == B)
    _, item, answers = np.unique(work.comparison[is_preference], return_inverse=True, return_counts=True)
    together = answers[item] > 1
    who = person[is_preference][together]
    n = np.bincount(who, minlength=n_people)
    if (answers > 1).sum() < MIN_TOGETHER:
        return _untold(n, NO_SECOND_OPINION)
    rows = np.flatnonzero(is_preference)[together]
    _, numbered = np.unique(item[together], return_inverse=True)
    lengths = np.zeros(numbered.max() + 1)
    lengths[numbered] = work.log2_lengths[rows]
    is_b_first = work.is_b_first[rows]
    fit = biases.fit(
        biases.Preferences(
            item=numbered,
            person=who,
            is_b=(direction[rows] == B).astype(np.float64),
            first=np.where(is_b_first, 1.0, -1.0),
            log2_lengths=lengths,
            n_people=n_people,
        )
    )
    return _told(fit, n, _share_in_both_orders(numbered, is_b_first) >= MIN_IN_BOTH_ORDERS)


def _share_in_both_orders(item: Ints, is_b_first: Bools) -> float:
    n = np.bincount(item)
    b_first = np.bincount(item, is_b_first)
    return float(((b_first > 0) & (b_first < n)).mean())


def _told(fit: biases.Fit, n: Ints, is_in_both_orders: bool) -> tuple[dict[str, Column], CampaignBias]:
    known = n >= biases.MIN_PREFERENCES
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(fit.covariance[:, range(3), range(3)])
    side, length = fit.parameters[:, biases.SIDE], fit.parameters[:, biases.LENGTH]
    accuracy = np.log(fit.accuracy / (1 - fit.accuracy))
    if not np.isfinite(errors[known]).all() or not np.isfinite(fit.mean_error).all():
        return _untold(n, NOT_SETTLED)
    columns = {
        "first": shares_of_odds(side, errors[:, biases.SIDE], known, n, TOO_FEW_PREFERENCES),
        "longer": shares_of_odds(length, errors[:, biases.LENGTH], known, n, TOO_FEW_PREFERENCES),
        "accuracy": shares_of_odds(accuracy, fit.accuracy_error, known, n, TOO_FEW_PREFERENCES),
    }
    first, longer = (_mean_figure(fit, place, int(n.sum())) for place in (0, 1))
    if not is_in_both_orders:
        columns["first"] = nothing(n, ONE_ORDER)
        first = Figure(int(n.sum()), reason=ONE_ORDER)
    return columns, CampaignBias(first, longer)


def _untold(n: Ints, reason: str) -> tuple[dict[str, Column], CampaignBias]:
    column, none = nothing(n, reason), Figure(int(n.sum()), reason=reason)
    return {"first": column, "longer": column, "accuracy": column}, CampaignBias(none, none)


def _mean_figure(fit: biases.Fit, place: int, n: int) -> Figure:
    odds, half = fit.mean[place], Z_95 * fit.mean_error[place]
    value, low, high = biases.sigma(np.array([odds, odds - half, odds + half]))
    return Figure(n, float(value), float(low), float(high))
