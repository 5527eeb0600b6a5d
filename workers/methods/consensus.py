"""Fits what a campaign's annotators say together, and how reliable each of them is.

Idea
    A majority counts every vote alike. Here a model learns from all votes of the campaign at once whose votes predict
    those of the others, and weighs them by it; so two careful people can outvote three who guess, and each answer comes
    with the probability that it is right.

Formula
    dawid_skene: a confusion matrix per annotator, EM. mace: a competence and a guessing habit per annotator,
    variational EM. glad: an ability per annotator and a difficulty per comparison, EM. bradley_terry: a strength per
    response, shared by all comparisons of its prompt, with ties, with the lean toward what is shown first, and a
    reliability per annotator. Each is written out in workers/engine/aggregation/. The answer with a posterior above
    one half is the label, otherwise the comparison is undecided; the sign comes from the model, the strength 1..3 is
    the mean strength of the votes on that side, halves away from zero, or 1 where nobody voted for it.

Paper
    Dawid and Skene 1979; Hovy et al. 2013, Learning Whom to Trust with MACE; Whitehill et al. 2009, Whose Vote Should
    Count More (GLAD); Davidson 1970 and Agresti 1992 for Bradley-Terry with ties and graded answers.

Needs
    Votes: the standing pairwise answers of one campaign, and the pairs that its rankings imply. Not the texts.

Signal
    None. It writes the consensus of each comparison (label, posterior of a, tie, b and both bad, confidence, effective
    votes: how many flawless votes, or for bradley_terry how many direct votes of people who looked, would say as much)
    and the reliability of each annotator with its 95 % interval: the expected share of right answers (dawid_skene,
    0..1), the probability of not guessing (mace and bradley_terry, 0..1), or the ability (glad, a log-odds, 0 =
    guesses). Each fit replaces the last one of its model.

Limits
    People who err together are believed. With one vote per comparison there is nothing to learn. Posteriors are too
    sure where items differ in ways the model does not know. bradley_terry has no place for "both bad": those votes
    are left out of the strengths, and their share is the posterior of both bad. Later votes wait for the next run.

Cost
    A million votes take about half a minute, most of it reading and writing; no model of language is loaded.

Do not use
    With fewer than three votes on most comparisons; take the majority.

Relations
    The majority and three-most-similar need no run. model_vote judges a label by the texts, this by the people.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workers.methods._base import ANSWERS, Ballot, Bench, Outcome, Reliability, Verdict, param

if TYPE_CHECKING:
    from workers.engine.aggregation.fits import Fit
    from workers.engine.aggregation.votes import Votes

LABEL = "Consensus"
NEEDS = ("votes",)
YIELDS = ("consensus",)
SHAPE = "whole"
SCOPE = "campaign"
QUEUE = "cpu"
FIELDS: dict[str, str] = {}
UNITS = {
    "dawid_skene": "expected share of right answers, 0 to 1",
    "mace": "probability of not guessing, 0 to 1",
    "glad": "ability in log-odds; 0 guesses, below 0 answers upside down",
    "bradley_terry": "probability of not guessing, 0 to 1",
}
FITS = tuple(UNITS)
# The result lists so many annotators, the least reliable first.
LISTED = 20
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Params:
    campaign: int = param(0, ge=0, help="The number of the campaign; 0 takes the only one of the project.")
    model: str = param("dawid_skene", choices=FITS, help="How the votes are weighed.")
    graded: bool = param(False, help="bradley_terry only: much better counts for more than slightly better.")
    seed: int = param(0, ge=0, help="Of the random starts of mace; the others draw nothing.")
    max_iterations: int = param(200, ge=1, le=5000, help="Stop after so many rounds, converged or not.")


@dataclass(frozen=True)
class _Crowd:
    """A ballot, its ids counted from 0."""

    ballot: Ballot
    comparisons: Ints
    people: Ints
    item: Ints
    person: Ints

    @classmethod
    def of(cls, ballot: Ballot) -> _Crowd:
        comparisons, item = np.unique(ballot.comparison, return_inverse=True)
        people, person = np.unique(ballot.annotator, return_inverse=True)
        return cls(ballot, comparisons, people, item, person)


@dataclass(frozen=True)
class _Found:
    fit: Fit
    # [comparisons, the four answers]
    posterior: Floats
    # What else is known, per annotator and of all.
    details: list[dict[str, Any]]
    more: dict[str, Any]


def preflight(params: Params) -> None: ...


def run(ballot: Ballot, params: Params, bench: Bench) -> Outcome:
    if not len(ballot):
        return Outcome()
    bench.progress(0, 1, f"fitting {params.model}")
    crowd = _Crowd.of(ballot)
    found = (_strengths if params.model == "bradley_terry" else _categories)(crowd, params, bench)
    bench.check_cancelled()
    verdicts, people = _verdicts(crowd, found), _reliabilities(crowd, found)
    bench.progress(1, 1, "writing")
    return Outcome(result=_summary(crowd, params, found, verdicts, people), verdicts=verdicts, reliabilities=people)


def _categories(crowd: _Crowd, params: Params, bench: Bench) -> _Found:
    from workers.engine.aggregation.labels import A, B, answer_of
    from workers.engine.aggregation.votes import Votes

    answer = answer_of(crowd.ballot.choice, crowd.ballot.is_both_bad)
    # Answers that nobody gave are none to choose from; a and b always are.
    used = np.union1d(answer, [A, B])
    answer = np.searchsorted(used, answer)
    votes = Votes(crowd.item, crowd.person, answer, len(crowd.comparisons), len(crowd.people), len(used))
    fit, details = _fitted(votes, [ANSWERS[code] for code in used], params, bench)
    posterior = np.zeros((len(crowd.comparisons), 4))
    posterior[:, used] = fit.posterior
    return _Found(fit, posterior, details, {})


def _fitted(votes: Votes, names: list[str], params: Params, bench: Bench) -> tuple[Fit, list[dict[str, Any]]]:
    from workers.engine.aggregation import dawid_skene, glad, mace

    limits: dict[str, Any] = {"max_iterations": params.max_iterations, "check": bench.check_cancelled}
    if params.model == "mace":
        by_habit = mace.fit(votes, seed=params.seed, **limits)
        return by_habit, [{"habit": _shares(names, habit)} for habit in by_habit.habit]
    if params.model == "glad":
        by_ability = glad.fit(votes, **limits)
        return by_ability, [{"accuracy": _number(accuracy)} for accuracy in by_ability.accuracy]
    by_confusion = dawid_skene.fit(votes, **limits)
    return by_confusion, [
        {"confusion": {truth: _shares(names, column) for truth, column in zip(names, matrix.T, strict=True)}}
        for matrix in by_confusion.confusion
    ]


def _strengths(crowd: _Crowd, params: Params, bench: Bench) -> _Found:
    """Both bad is no place on the scale: its share of the votes is its posterior, and the model has the rest."""
    from workers.engine.aggregation import bradley_terry

    ballot, placed = crowd.ballot, ~crowd.ballot.is_both_bad
    responses, end = np.unique([ballot.response_a, ballot.response_b], return_inverse=True)
    _, row = np.unique(crowd.item, return_index=True)
    duels = bradley_terry.Duels(
        pair=crowd.item[placed],
        annotator=crowd.person[placed],
        answer=ballot.choice[placed] if params.graded else np.sign(ballot.choice[placed]),
        first=ballot.first[placed],
        a=end[0, row],
        b=end[1, row],
        n_annotators=len(crowd.people),
        n_responses=len(responses),
        levels=3 if params.graded else 1,
    )
    fit = bradley_terry.fit(duels, max_iterations=params.max_iterations, check=bench.check_cancelled)
    bad = np.bincount(crowd.item, weights=ballot.is_both_bad) / np.bincount(crowd.item)
    posterior = np.column_stack([fit.posterior * (1 - bad)[:, None], bad])
    details = [
        {"lean": _number(lean), "lean_interval": [_number(low), _number(high)]}
        for lean, low, high in zip(fit.lean, fit.lean_low, fit.lean_high, strict=True)
    ]
    lean = {
        "value": fit.position,
        "interval": [fit.position_low, fit.position_high],
        "n": int(np.sum(duels.first != 0)),
    }
    return _Found(fit, posterior, details, {"position": lean})


def _verdicts(crowd: _Crowd, found: _Found) -> list[Verdict]:
    from workers.engine.aggregation.labels import labels

    said = labels(found.posterior, crowd.item, crowd.ballot.choice)
    columns = (
        crowd.comparisons, said.value, said.has_value, said.is_both_bad, said.confidence, np.bincount(crowd.item),
        found.fit.effective_votes, found.posterior,
    )  # fmt: skip
    return [
        Verdict(item, label if decided else None, is_bad, sure, n, effective, dict(zip(ANSWERS, shares, strict=True)))
        for item, label, decided, is_bad, sure, n, effective, shares in zip(
            *map(np.ndarray.tolist, columns), strict=True
        )
    ]


def _reliabilities(crowd: _Crowd, found: _Found) -> list[Reliability]:
    held = found.fit.reliability
    columns = (crowd.people.tolist(), held.value, held.low, held.high, held.n.tolist(), found.details)
    return [
        Reliability(person, _number(value), _number(low), _number(high), n, details)
        for person, value, low, high, n, details in zip(*columns, strict=True)
    ]


def _summary(
    crowd: _Crowd, params: Params, found: _Found, verdicts: list[Verdict], people: list[Reliability]
) -> dict[str, Any]:
    known = [person for person in people if person.value is not None]
    lowest = sorted(known, key=lambda person: (person.high, person.annotator_id))[:LISTED]
    counts = Counter("" if verdict.label is None else ANSWERS[np.sign(verdict.label) + 1] for verdict in verdicts)
    both_bad = sum(verdict.is_both_bad for verdict in verdicts)
    return {
        "aggregator": params.model,
        "votes": len(crowd.ballot),
        "comparisons": len(verdicts),
        "annotators": len(people),
        **{answer: counts[answer] for answer in ("a", "tie", "b")},
        **{"both_bad": both_bad, "undecided": counts[""] - both_bad},
        "log_likelihood": [round(value, 3) for value in found.fit.log_likelihood],
        "iterations": len(found.fit.log_likelihood),
        "has_converged": found.fit.has_converged,
        "unit": UNITS[params.model],
        "people": [
            {"annotator": p.annotator_id, "interval": [p.low, p.high], "value": p.value, "n": p.n} for p in lowest
        ],
    } | found.more


def _shares(names: list[str], values: Floats) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _number(value: Any) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
