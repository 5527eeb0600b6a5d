"""The sets of planted noise: published preferences as pairs, and labels of which some are flipped on purpose."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.convert import ukp
from workers.methods._base import Pair

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
HELPFUL, HARMLESS, UKP = 1, 2, 3


@dataclass(frozen=True)
class Planted:
    """`sign` [n]: the published label, 1 = b is better. `group` [n]: what a fold never divides: the prompt or topic,
    or the unordered pair where responses recur."""

    name: str
    pairs: Sequence[Pair]
    sign: Ints
    group: Ints
    is_by_pair: bool = False

    def flipped(self, rate: float, seed: int) -> Flags:
        """Exactly int(rate * n) rows, without replacement."""
        rows = np.random.default_rng(1000 + seed).choice(len(self.sign), int(rate * len(self.sign)), replace=False)
        found = np.zeros(len(self.sign), np.bool_)
        found[rows] = True
        return found


def planted_sets(data: Path) -> list[Planted]:
    helpful = list(_hh(data / "hh-rlhf" / "helpful-base.test.jsonl.gz", HELPFUL, 0))
    harmless = list(_hh(data / "hh-rlhf" / "harmless-base.test.jsonl.gz", HARMLESS, 100_000))
    arguments = list(_ukp(data / "ukpconvarg1"))
    return [
        _planted("helpful", helpful),
        _planted("harmless", harmless),
        _planted("both, two sources", helpful + harmless),
        _planted("UKP, topics held out", arguments),
        _planted("UKP, pairs held out", arguments, by_pair=True),
    ]


def _planted(name: str, pairs: list[Pair], *, by_pair: bool = False) -> Planted:
    keys = [f"{min(p.a_id, p.b_id)} {max(p.a_id, p.b_id)}" if by_pair else str(p.prompt_id) for p in pairs]
    groups = np.unique(keys, return_inverse=True)[1]
    return Planted(name, pairs, np.array([pair.sign for pair in pairs]), np.asarray(groups, np.int64), by_pair)


class _Sides:
    """Pairs as the corpus stores them: numbered responses, and `a` is the one with the smaller hash, so that the
    published order tells nothing."""

    def __init__(self, source: int, first_id: int) -> None:
        self.source, self.first_id = source, first_id
        self.responses: dict[tuple[str, str], int] = {}
        self.prompts: dict[str, int] = {}

    def pair(self, row: int, messages: Sequence[Mapping[str, Any]], better: str, worse: str) -> Pair:
        prompt = json.dumps(messages)
        prompt_id = self.first_id + self.prompts.setdefault(prompt, len(self.prompts))
        ids = {text: self.responses.setdefault((prompt, text), len(self.responses)) for text in (better, worse)}
        a, b = sorted((better, worse), key=_hash)
        return Pair(
            id=self.first_id + row, source=self.source, prompt_id=prompt_id, messages=messages,
            a_id=self.first_id + ids[a], a=a, b_id=self.first_id + ids[b], b=b, label=1 if b == better else -1,
        )  # fmt: skip


def _hash(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def _hh(path: Path, source: int, first_id: int) -> Iterator[Pair]:
    """Rows that the import accepts and that are no obvious dirt: differing prompts, identical or empty sides."""
    from corpus.importers._base import ReadOptions, RowRejected
    from corpus.importers.hh import read

    sides = _Sides(source, first_id)
    for number, row in enumerate(_lines(path)):
        try:
            parsed = read(row, ReadOptions())
        except RowRejected:
            continue
        better, worse = parsed.response_a, parsed.response_b
        if better != worse and better.strip() and worse.strip():
            yield sides.pair(number, parsed.messages, better, worse)


def _ukp(folder: Path) -> Iterator[Pair]:
    """Pairs whose published label is no tie; the prompt is the topic and its side."""
    sides = _Sides(UKP, 200_000)
    for number, row in enumerate(ukp(folder / "arguments.jsonl.gz", folder / "pairs.jsonl.gz")):
        if row["label"] in ("a", "b") and row["response_a"] != row["response_b"]:
            better, worse = row["response_a"], row["response_b"]
            if row["label"] == "b":
                better, worse = worse, better
            yield sides.pair(number, [{"role": "user", "content": row["prompt"]}], better, worse)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        for line in file:
            yield json.loads(line)
