"""What a further answer on a comparison is worth: how open it is, what lies around mistakes, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.heads.features import HasTexts, texts_of

if TYPE_CHECKING:
    from workers.engine.bench import Bench

Flags = NDArray[np.bool_]
Vectors = NDArray[np.floating[Any]]
NEAREST = 8
# Vectors closer than this are copies, from which nothing is learnt of each other.
COPY = 0.98
# From here on two comparisons ask the same, as far as the order is concerned.
ALIKE = 0.9
# How many of the first are compared with each other; what is asked later waits for a later order.
COMPARED = 1000
BLOCK = 1024
# Every row is compared with so many answered ones at most.
MOST_ANSWERED = 5000
SCALES = np.geomspace(0.02, 10.0, 60)


def content_vectors(pairs: Sequence[HasTexts], bench: Bench, model: str) -> Vectors:
    """[n, 2 dims] of unit length: the question, and both responses whichever is a."""
    texts = texts_of(pairs)
    embedded = bench.embed(texts, model=model).vectors
    row = {text: index for index, text in enumerate(texts)}
    u, a, b = (embedded[[row[getattr(pair, name)] for pair in pairs]] for name in ("last_turn", "a", "b"))
    return _unit(np.hstack([_unit(u), _unit(a + b)]))


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def neighbours_wanted(p: Floats) -> Ints:
    """How many answered neighbours to look at where the label has probability p: 8 up to one half, then ever fewer."""
    p = np.asarray(p, dtype=np.float64)
    if np.isnan(p).any():
        raise ValueError("a probability is not a number")
    # Products such as 8 * (1 - 0.9) are not exact, and a hair above a whole number is that number.
    return np.where(p <= 0.5, NEAREST, np.ceil(NEAREST * (1 - p) - 1e-9)).astype(np.int64)


def some_of(rows: Ints, seed: int) -> Ints:
    """All of them, or MOST_ANSWERED drawn by chance, which leaves the share of mistakes as it is."""
    if len(rows) <= MOST_ANSWERED:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ANSWERED, replace=False))


def around_mistakes(
    vectors: Vectors,
    prompt: Ints,
    answered: Ints,
    is_mistake: Flags,
    wanted: Ints,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Ints, Ints]:
    """(share [n], mistakes [n], neighbours [n]) among the nearest `wanted` answered rows of each row.

    `answered` [m] are rows, `is_mistake` [m] whether people overruled what was said of them. Never a neighbour: the row
    itself, one of the same prompt, a copy. Share: the cosines of those that are mistakes, of NEAREST places.
    """  # fmt: skip
    share, mistakes, found = np.zeros(len(vectors)), np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.int64)
    if not len(answered):
        return share, mistakes, found
    places = min(NEAREST, len(answered))
    for start in range(0, len(vectors), BLOCK):
        check()
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        cosine = vectors[rows] @ vectors[answered].T
        barred = (prompt[rows][:, None] == prompt[answered]) | (cosine > COPY) | (rows[:, None] == answered)
        cosine = np.where(barred | (cosine <= 0), -1.0, cosine)
        nearest = np.argpartition(-cosine, places - 1, axis=1)[:, :places]
        near = np.take_along_axis(cosine, nearest, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        nearest, near = np.take_along_axis(nearest, order, axis=1), np.take_along_axis(near, order, axis=1)
        counts = (np.arange(places) < wanted[rows][:, None]) & (near > 0)
        wrong = counts & is_mistake[nearest]
        share[rows] = (near * wrong).sum(axis=1) / NEAREST
        mistakes[rows], found[rows] = wrong.sum(axis=1), counts.sum(axis=1)
    return share, mistakes, found


def openness(counts: Ints) -> Floats:
    """[n] from how often each answer was given [n, answers]: twice the chance that a fair coin of leading answer and
    runner-up did not prefer the leader; 1 where nobody said anything or both are even, 1/2 after one answer."""
    ranked = np.sort(counts, axis=1)
    lead, second = ranked[:, -1], ranked[:, -2]
    pairs, index = np.unique(np.column_stack([lead, second]), axis=0, return_inverse=True)
    tails = [_tail(int(v), int(w)) for v, w in pairs]
    return np.minimum(2 * np.array(tails)[index.ravel()], 1.0) if len(tails) else np.zeros(0)


def _tail(lead: int, second: int) -> float:
    """P(Beta(lead + 1, second + 1) < 1/2)."""
    n = lead + second + 1
    return float(sum(comb(n, k) for k in range(lead + 1, n + 1)) / 2**n)


def calibrated(mean: Floats, spread: Floats, sign: Ints) -> Floats:
    """P(b better) from margins: the one scale that makes the signs likeliest; spread pulls it toward one half."""
    known = sign != 0
    best = 1.0
    if known.any():
        toward, wide = sign[known] * mean[known], spread[known]
        losses = [np.logaddexp(0.0, -_softened(scale, toward, wide)).mean() for scale in SCALES]
        best = float(SCALES[int(np.argmin(losses))])
    return np.asarray(0.5 * (1 + np.tanh(0.5 * _softened(best, mean, spread))))


def _softened(scale: float, mean: Floats, spread: Floats) -> Floats:
    """The logit of the mean of sigmoid(scale * d), d normal (MacKay's approximation)."""
    return np.asarray(scale * mean / np.sqrt(1 + np.pi / 8 * (scale * spread) ** 2))


def better_ones_alike(worth: Floats, prompt: Ints, vectors: Vectors, asked: Flags) -> Ints:
    """How many rows that ask the same come before each: of its prompt, or alike in text. What people have answered
    comes first of all; equals go by place."""
    order = np.lexsort((np.arange(len(worth)), -worth, ~asked))
    by_prompt = order[np.argsort(prompt[order], kind="stable")]
    names = prompt[by_prompt]
    before = np.arange(len(names)) - np.searchsorted(names, names)
    found = np.zeros(len(worth), np.int64)
    found[by_prompt] = before
    first = order[~asked[order]][:COMPARED]
    return np.maximum(found, _alike(vectors, first, len(worth)))


def _alike(vectors: Vectors, rows: Ints, n: int) -> Ints:
    """Among the rows, in their order: how many earlier ones share its leader, the first row that it is alike to."""
    found, size = np.zeros(n, np.int64), np.zeros(len(rows), np.int64)
    leaders: list[int] = []
    held = np.zeros((len(rows), vectors.shape[1] if vectors.ndim == 2 else 0), vectors.dtype)
    for row in rows:
        near = held[: len(leaders)] @ vectors[row]
        place = int(np.argmax(near >= ALIKE)) if len(near) else 0
        if len(near) and near[place] >= ALIKE:
            found[row] = size[place]
            size[place] += 1
            continue
        held[len(leaders)] = vectors[row]
        size[len(leaders)] = 1
        leaders.append(int(row))
    return found


def mixed_order(
    worth: Floats, rows: Ints, random_share: float, rng: np.random.Generator, drawable: Flags | None = None
) -> tuple[Ints, Flags]:
    """(rows in order, which places were drawn): by worth, largest first, with every so-manieth place given to a row
    drawn from all of them, or from the `drawable` [n] ones, whatever its worth."""
    pool = rows if drawable is None else rows[drawable[rows]]
    drawn = rng.permutation(pool)[: int(random_share * len(rows))]
    rest = np.setdiff1d(rows, drawn)
    rest = rest[np.lexsort((rest, -worth[rest]))]
    is_drawn = np.zeros(len(rows), np.bool_)
    if len(drawn):
        is_drawn[np.arange(1, len(drawn) + 1) * len(rows) // len(drawn) - 1] = True
    ordered = np.empty(len(rows), np.int64)
    ordered[is_drawn], ordered[~is_drawn] = drawn, rest
    return ordered, is_drawn
