"""The contract of a method: one file, plain records in, plain records out.

A method file has a module docstring (its documentation, shown to the curator), and:

    LABEL      its name for people
    NEEDS      what it reads: "responses", "labels"
    YIELDS     what it writes: "signals", "scores"
    SHAPE      "map": every shard of comparisons stands alone; "whole": it must see all comparisons of a scope
    SCOPE      for "whole": "source" (one fit per source) or "project"
    QUEUE      "cpu" or "gpu"
    Params     a frozen dataclass, every field made by `param`
    FIELDS     {name: help} of the fields of its signals
    preflight(params) -> None                        raises Unworkable, with a sentence, before anything starts
    prepare(pairs, params, bench) -> None            optional mapped stage before a "whole" one: fill caches
    run(pairs, params, bench) -> Outcome             exactly one signal per pair, whatever their order
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

from workers.engine.bench import Bench, Unworkable

__all__ = ["Bench", "Method", "Outcome", "Pair", "Score", "Signal", "Unworkable", "param"]


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
class Outcome:
    signals: list[Signal]
    # What was found out about the whole, for the run's page and for whoever reads the signals later.
    result: dict[str, Any] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)


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

    def run(self, pairs: Sequence[Pair], params: Any, bench: Bench) -> Outcome: ...


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
