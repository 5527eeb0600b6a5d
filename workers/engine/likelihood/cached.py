"""Likelihoods of responses and remarks, computed once per token ids and model, then kept.

What is kept goes by the very ids and the place from which they are scored, so that a template, a cut or a boundary that
changes makes another entry. Work is done in portions, each kept whole: a run that was killed goes on from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np

from workers.engine.likelihood.chat import Read
from workers.engine.likelihood.passages import Passage, alike
from workers.engine.likelihood.tokens import Messages, TemplateRefuses
from workers.engine.models.scorer import Scorer
from workers.engine.models.side_by_side import side_by_side
from workers.engine.texts.store import Kept, keep, kept_in, open_store

# Tokens of a portion, shared ones once: some seconds of a small model, and what passages share mostly lies within.
PORTION = 32_768
READ_AT_ONCE = 64
# Told of a row, but no reason to mistrust it.
HARMLESS = frozenset({"system_merged"})

# A conversation with all its responses; a conversation, a response and the remarks behind it.
Responses = tuple[Messages, Sequence[str]]
Remarks = tuple[Messages, str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Likely:
    """`total`: natural-log probability of the scored tokens in nats, NaN where there is none; `n_bytes` in UTF-8.

    Flags: truncated, boundary_merge, empty (nothing left to score), nonfinite, refused (by the chat template),
    system_merged.
    """

    total: float
    tokens: int
    n_bytes: int
    flags: frozenset[str] = frozenset()

    @property
    def mean(self) -> float:
        """Per token; NaN where nothing is scored."""
        return self.total / self.tokens if self.tokens else nan

    @property
    def doubts(self) -> frozenset[str]:
        """The flags for which it is not to be trusted."""
        return self.flags - HARMLESS

    @property
    def is_clean(self) -> bool:
        return not self.doubts


def likelihoods(
    scorer: Scorer,
    asked: Sequence[Responses],
    *,
    cache: Path,
    with_eot: bool = True,
    template: str | None = None,
    check: Callable[[], None] = lambda: None,
    on_portion: Callable[[int, int], None] | None = None,
) -> list[list[Likely]]:
    """Of each response as the assistant's next turn, in the order asked; one boundary for the responses of a row."""
    chat = scorer.chat(with_eot=with_eot, template=template)
    rows = [(texts, lambda one=one: chat.responses(*one)) for one in asked for texts in (one[1],)]
    return _of_rows(scorer, rows, cache, check, on_portion)


def remarks(
    scorer: Scorer,
    asked: Sequence[Remarks],
    *,
    cache: Path,
    template: str | None = None,
    check: Callable[[], None] = lambda: None,
    on_portion: Callable[[int, int], None] | None = None,
) -> list[list[Likely]]:
    """Of each remark as what the person says next, by its own text alone."""
    chat = scorer.chat(template=template)
    rows = [(texts, lambda one=one: chat.remarks(*one)) for one in asked for texts in (one[2],)]
    return _of_rows(scorer, rows, cache, check, on_portion)


Row = tuple[Sequence[str], Callable[[], list[Read]]]


def _of_rows(
    scorer: Scorer,
    rows: Sequence[Row],
    cache: Path,
    check: Callable[[], None],
    on_portion: Callable[[int, int], None] | None,
) -> list[list[Likely]]:
    read = _read(scorer, rows, check)
    asked = {_key(one.passage): one.passage for row in read for one in row or () if not one.is_empty}
    with closing(open_store(cache / "likelihoods" / f"{scorer.version}.sqlite")) as store:
        found = kept_in(store, list(asked))
        missing = {key: passage for key, passage in asked.items() if key not in found}
        done = 0
        for portion in _portions(missing):
            fresh = _scored(scorer, portion, check)
            keep(store, fresh)
            found |= fresh
            done += len(fresh)
            if on_portion:
                on_portion(done, len(missing))
    return [
        [_likely(one, found) for one in reads]
        if reads is not None
        else [Likely(nan, 0, len(text.encode()), frozenset({"refused"})) for text in texts]
        for (texts, _), reads in zip(rows, read, strict=True)
    ]


def _read(scorer: Scorer, rows: Sequence[Row], check: Callable[[], None]) -> list[list[Read] | None]:
    if scorer.hands > 1:
        return side_by_side(rows, lambda row, stop: _unless_refused(row[1]), hands=scorer.hands, check=check)
    read = []
    for number, (_, reads) in enumerate(rows):
        if number % READ_AT_ONCE == 0:
            check()
        read.append(_unless_refused(reads))
    return read


def _unless_refused(reads: Callable[[], list[Read]]) -> list[Read] | None:
    try:
        return reads()
    except TemplateRefuses:
        return None


def _key(passage: Passage) -> bytes:
    return hashlib.sha256(np.array([passage.begin, *passage.ids], np.int64).tobytes()).digest()


def _portions(missing: Mapping[bytes, Passage]) -> Iterator[dict[bytes, Passage]]:
    """In the order of their ids, so that passages with one beginning stand together."""
    portion: dict[bytes, Passage] = {}
    tokens = 0
    last: tuple[int, ...] = ()
    for key, passage in sorted(missing.items(), key=lambda one: one[1].ids):
        portion[key] = passage
        tokens += len(passage.ids) - alike(last, passage.ids)
        last = passage.ids
        if tokens >= PORTION:
            yield portion
            portion, tokens = {}, 0
    if portion:
        yield portion


def _scored(scorer: Scorer, portion: Mapping[bytes, Passage], check: Callable[[], None]) -> dict[bytes, Kept]:
    said = scorer.score(list(portion.values()), check=check)
    totals = (one.sum if one.is_finite else nan for one in said)
    return {key: (np.float64(total).tobytes(), False) for key, total in zip(portion, totals, strict=True)}


def _likely(read: Read, found: Mapping[bytes, Kept]) -> Likely:
    tokens = len(read.passage.ids) - read.passage.begin
    total = nan if read.is_empty else float(np.frombuffer(found[_key(read.passage)][0], np.float64)[0])
    told = {
        "truncated": read.truncated,
        "boundary_merge": read.boundary_merge,
        "empty": read.is_empty,
        "nonfinite": not read.is_empty and not isfinite(total),
        "system_merged": read.system_merged,
    }
    return Likely(total, tokens, read.n_bytes, frozenset(flag for flag, holds in told.items() if holds))
