"""Does the scorer read the prompt? Two prompts that are alike, each answered by the other's response.

Idea
    Of two prompts near in meaning whose responses are far apart, a scorer that reads the prompt ranks each prompt's own
    response above the other's. One that looks at the response alone is right for one of the two prompts and wrong for
    the other: exactly one half, whatever else it likes.

Formula
    share = mean over pairs of ([s(x1, y1) > s(x1, y2)] + [s(x2, y2) > s(x2, y1)]) / 2, an equal score counts one half
    Pairs: cosine of the last turns NEAR to SAME, of the responses FAR at most, the largest gaps between the two first,
    each prompt once.

Paper
    Contrast instructions, 2023 (consistency of reward models). Built here from the corpus by embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.engine.bench import Bench
from workers.engine.heads.bradley_terry import wilson
from workers.engine.probes.keys import Messages, Scores
from workers.engine.probes.record import Probe, ends, percent

NEAR, SAME, FAR = 0.5, 0.97, 0.5
# Pairs at most, and the pairs without which nothing can be said.
MOST, LEAST = 100, 30
CHANCE = 0.5


@dataclass(frozen=True)
class Answered:
    """A prompt, what it asks last, and a response to it, the preferred one where people said which."""

    messages: Messages
    question: str
    response: str


Pairs = list[tuple[Answered, Answered]]


def pairs_of(answered: Sequence[Answered], bench: Bench, *, encoder: str) -> Pairs:
    """The same pairs whatever the order of the prompts."""
    from workers.engine.texts.neighbours import close_pairs

    answered = sorted(answered, key=lambda one: (one.question, one.response))
    if len(answered) < 2:
        return []
    asked = _unit(bench.embed([one.question for one in answered], model=encoder).vectors)
    said = _unit(bench.embed([one.response for one in answered], model=encoder).vectors)
    found = []
    for left, right in close_pairs(asked, squared_distance=2 - 2 * NEAR, check=bench.check_cancelled):
        near = np.einsum("ij,ij->i", asked[left], asked[right])
        apart = np.einsum("ij,ij->i", said[left], said[right])
        keep = (near < SAME) & (apart <= FAR)
        rows = zip(left[keep].tolist(), right[keep].tolist(), (near - apart)[keep].tolist(), strict=True)
        found += [(-round(gap, 6), i, j) for i, j, gap in rows]
    chosen: Pairs = []
    used: set[int] = set()
    for _, i, j in sorted(found):
        if i not in used and j not in used and len(chosen) < MOST:
            used |= {i, j}
            chosen.append((answered[i], answered[j]))
    return chosen


def ask(score: Scores, pairs: Pairs, *, check: Callable[[], None] = lambda: None) -> Probe:
    check()
    rows = [
        (asked.messages, [one.response]) for pair in pairs for asked in pair for one in (asked, _other(pair, asked))
    ]
    flat = [row[0] for row in score(rows)]
    scores = np.array(flat, dtype=np.float64).reshape(-1, 2, 2)
    kept = scores[np.isfinite(scores).all(axis=(1, 2))]
    own = np.sign(kept[:, :, 0] - kept[:, :, 1]) / 2 + 0.5
    n = len(kept)
    if n < LEAST:
        words = (
            "Whether it reads the prompt cannot be said: pairs of prompts that are alike, with responses far apart and "
            f"scores, are {n:,} here; {LEAST} are needed."
        )
        return Probe("contrast", None, words, n=n, bar=CHANCE)
    share, both = float(own.mean()), int((own == 1).all(axis=1).sum())
    # A pair counts as one: both its answers hang on the same two responses.
    low, high = ends(wilson(share * n, n))
    passed = low is not None and low > CHANCE
    words = (
        f"Given two prompts that are alike, it ranks the prompt's own response first in {percent(share)} of {2 * n:,}."
    )
    if not passed:
        words += " That is not shown to be more than the half that a scorer gets which does not read the prompt."
    details = {"both_ways": both, "share_both_ways": both / n}
    return Probe("contrast", passed, words, share, low, high, n, CHANCE, details=details)


def _other(pair: tuple[Answered, Answered], one: Answered) -> Answered:
    return pair[1] if one is pair[0] else pair[0]


def _unit(
    vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
