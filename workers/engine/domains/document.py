"""Domains as methods read them, from a version of the words that a project keeps of the kind `domains`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workers.engine.bench import Unworkable, Words

# What fits nowhere else.
FALLBACK = "chat"


@dataclass(frozen=True)
class Exemplar:
    """A worked case: what matters, what somebody asks, a good reply, and where they are given a poor one and why."""

    name: str
    instruction: str
    question: str
    good: str
    bad: str
    why: str


@dataclass(frozen=True)
class Domain:
    name: str
    asks: str
    # criteria_and_exemplar, criteria, exemplar or nothing: what is put before a prompt.
    before: str
    criteria: str
    keywords: tuple[str, ...]
    exemplars: tuple[Exemplar, ...]

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Any keyword as a whole word, whatever its case; * stands for the rest of one."""
        if not self.keywords:
            return None
        words = sorted((re.escape(word).replace(r"\*", r"\w*") for word in self.keywords), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Domains:
    version: int
    sha256: str
    question: str
    all: tuple[Domain, ...]

    def named(self, name: str) -> Domain:
        return next(domain for domain in self.all if domain.name == name)

    def as_record(self) -> dict[str, Any]:
        """Which words these were."""
        return {"kind": "domains", "version": self.version, "sha256": self.sha256}


def domains_of(words: Words) -> Domains:
    try:
        every = tuple(_domain(told) for told in words.document["domains"])
        found = Domains(words.version, words.sha256, str(words.document["question"]), every)
    except (KeyError, TypeError) as missing:
        raise Unworkable(f"Version {words.version} of the domains lacks {missing}.") from missing
    if FALLBACK not in [domain.name for domain in every]:
        raise Unworkable(f"Version {words.version} of the domains has none of the name {FALLBACK}.")
    return found


def _domain(told: Mapping[str, Any]) -> Domain:
    exemplars = tuple(
        Exemplar(one["name"], one["instruction"], one["question"], one["good"], one.get("bad", ""), one.get("why", ""))
        for one in told["exemplars"]
    )
    return Domain(
        told["name"], told["asks"], told["before"], told["criteria"], tuple(told.get("keywords") or ()), exemplars
    )
