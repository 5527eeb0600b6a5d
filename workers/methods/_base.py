"""The contract of a method: one file, plain records in, plain records out.

A method file has a module docstring (its documentation, shown to the curator), and:

    LABEL      its name for people
    NEEDS      what it reads: "responses", "labels" (pairs); "votes" (all of a campaign, a Ballot); "recipe" beside
               the former (a Trial of `workers.engine.gain.trial`: pairs of a source, what a recipe reads of them);
               "prompts" (Prompt); or "candidates" (Candidates of a run that wrote some)
    YIELDS     what it writes: "signals", "scores", "consensus", "responses", "comparisons"; "report": its result alone
    SHAPE      "map": every shard of comparisons stands alone; "whole": it must see all comparisons of a scope
    SCOPE      for "whole": "source" (one fit per source) or "project"; with votes "campaign", which Params name
    QUEUE      "cpu" or "gpu"
    Params     a frozen dataclass, every field made by `param`
    FIELDS     {name: help} of the fields of its signals
    MODELS     optional: names of the Params that name causal models; each is checked before a run, and the result
               says which weights they had
    WRITES     optional: those of MODELS that write and need not score
    preflight(params) -> None                        raises Unworkable, with a sentence, before anything starts
    prepare(pairs, params, bench) -> None            optional mapped stage before a "whole" one: fill caches
    run(pairs, params, bench) -> Outcome             exactly one signal per pair, whatever their order
    run(ballot, params, bench) -> Outcome            with votes: one verdict per comparison
    run(trial, params, bench) -> Outcome             with a recipe: a result per source
    combine(results) -> dict                         optional: the result of the run from those of its pieces; with
                                                     SCOPE "source" a mapping by source
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from workers.engine.bench import Bench, Unworkable

__all__ = [
    "ANSWERS", "Ballot", "Bench", "Candidate", "Candidates", "Couple", "Method", "Outcome", "Pair", "Prompt",
    "Reliability", "Score", "Signal", "Unworkable", "Verdict", "param",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison. `label` is -3..3, negative = response a is better, 0 a tie, None where nobody said."""

    id: int
    source: int
    prompt_id: int
    messages: Sequence[Mapping[str, Any]]
    a_id: int
    a: str
    b_id: int
    b: str
    label: int | None

    @property
    def last_turn(self) -> str:
        """What the person said last, which both responses answer."""
        users = [message for message in self.messages if message.get("role") == "user"]
        last = (users or list(self.messages) or [{}])[-1]
        return str(last.get("content") or "")

    @property
    def sign(self) -> int:
        """1 where b is better, -1 where a is, 0 for a tie or no label."""
        return 0 if not self.label else (1 if self.label > 0 else -1)


@dataclass(frozen=True, slots=True)
class Signal:
    """What a method says of one comparison; signed numbers are positive when response b is better."""

    pair_id: int
    value: float | None
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One number a scorer gives one response."""

    response_id: int
    name: str
    value: float


@dataclass(frozen=True)
class Ballot:
    """All votes of a campaign: arrays [votes], by comparison, then annotator.

    Ids of comparison, annotator and the comparison's responses; choice -3..3, negative = response a is better, 0 a tie
    or beside `is_both_bad`; first = 1 where response a was shown first, -1 where b was, 0 unknown.
    """

    comparison: NDArray[np.int64]
    annotator: NDArray[np.int64]
    response_a: NDArray[np.int64]
    response_b: NDArray[np.int64]
    choice: NDArray[np.int64]
    is_both_bad: NDArray[np.bool_]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.comparison)


# What people can say of a comparison.
ANSWERS = ("a", "tie", "b", "both_bad")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What people said together of one comparison; `label` is None where they are undecided or both are bad."""

    comparison_id: int
    label: int | None
    is_both_bad: bool
    # Posterior of the most probable answer, 0..1.
    confidence: float
    votes: int
    effective_votes: float
    # Of each of ANSWERS.
    posterior: dict[str, float]


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far a fit trusts one annotator, in its own unit, with a 95 % interval; None where nothing can be said."""

    annotator_id: int
    value: float | None
    low: float | None
    high: float | None
    # Votes behind it.
    n: int
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation up to the assistant's turn."""

    id: int
    messages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that a model wrote for a prompt; `ended`: it came to an end by itself."""

    prompt_id: int
    text: str
    generator: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """A prompt with the distinct texts that a run wrote for it: (response, text, how often it was written)."""

    id: int
    messages: Sequence[Mapping[str, Any]]
    responses: Sequence[tuple[int, str, int]]


@dataclass(frozen=True, slots=True)
class Couple:
    """Two responses to one prompt that shall be compared."""

    prompt_id: int
    one_id: int
    other_id: int
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    signals: list[Signal] = field(default_factory=list)
    # What was found out about the whole, for the run's page and for whoever reads the signals later.
    result: dict[str, Any] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    reliabilities: list[Reliability] = field(default_factory=list)
    # Comparisons in the order in which to ask people, where Params name the campaign to be ordered.
    order: list[int] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    couples: list[Couple] = field(default_factory=list)


class Method(Protocol):
    """A method file, seen as an object."""

    __doc__: str
    LABEL: str
    NEEDS: Sequence[str]
    YIELDS: Sequence[str]
    SHAPE: str
    SCOPE: str
    QUEUE: str
    FIELDS: Mapping[str, str]
    Params: Any

    def preflight(self, params: Any) -> None: ...

    # Pairs or a ballot, whichever it needs.
    def run(self, records: Any, params: Any, bench: Bench) -> Outcome: ...


def as_method(module: ModuleType) -> Method:
    return cast(Method, module)


def param(
    default: Any,
    *,
    help: str,
    ge: float | None = None,
    le: float | None = None,
    choices: Sequence[str] | None = None,
) -> Any:
    """A parameter with its default, bounds and help; the form and the API check against the same."""
    bounds = {"help": help, "ge": ge, "le": le, "choices": choices}
    return dataclasses.field(default=default, metadata={k: v for k, v in bounds.items() if v is not None})
