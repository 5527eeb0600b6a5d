"""All that heads may look at, one row per comparison: blocks of columns, each of response b minus that of response a.

    length            log characters
    counts            log(1 + n) of characters, words, lines, list items, question marks, digits
    manner            how it is written: sentences, marks, who is spoken of, apologies (see `manner`)
    words             how often it uses the 300 commonest words and marks of the source
    meaning           of each encoder: e(b) - e(a)
    meaning by turn   of each encoder: e(u) * (e(b) - e(a)) elementwise, u the person's last turn
    nearness          of each encoder: the sum of the latter, how much nearer b is to the turn than a

Words, meaning and meaning by turn are turned to the 128 axes along which the source's pairs differ most (one for a
hundred pairs where that is more): those of all pairs, labelled or not, so no label is read. On the axes of an encoder
columns are multiplied once more by their spread: where responses hardly differ, a difference is mostly accident. Each
block has a mean square norm of one, so that the weights of `stacking` are in the same units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.features import HasTexts, counts_of, texts_of
from workers.engine.heads.rows import Floats, Ints, chunks_of, scratch
from workers.engine.texts.manner import common_words, manner

if TYPE_CHECKING:
    from workers.engine.bench import Bench

AXES, PAIRS_AN_AXIS = 128, 100
# What a block is trusted with before any label is seen: parts of the variance of a margin.
TRUST = {
    "length": 0.3, "counts": 0.3, "manner": 1.0, "words": 0.7, "meaning": 1.0, "meaning by turn": 0.5, "nearness": 0.2,
}  # fmt: skip
Differ = Callable[[slice], Floats]


@dataclass(frozen=True)
class Table:
    """`x` [n, d] float32, in a file where it is big; `length` [n, 1]; `trust` [blocks]."""

    x: NDArray[np.float32]
    blocks: list[slice]
    names: list[str]
    trust: Floats
    length: Floats
    # Whether an encoder read only the beginning of a response or of the person's turn.
    truncated: NDArray[np.bool_]


@dataclass(frozen=True)
class _Block:
    name: str
    trust: float
    columns: int
    # Rows of a slice -> [rows, columns].
    differ: Differ


def comparison_table(pairs: Sequence[HasTexts], bench: Bench, *, models: Sequence[str]) -> Table:
    """Swapping the sides of a pair turns the signs of its row; the order of the pairs does not matter."""
    texts = texts_of(pairs)
    row = {text: index for index, text in enumerate(texts)}
    u, a, b = (np.array([row[getattr(pair, name)] for pair in pairs]) for name in ("last_turn", "a", "b"))
    truncated = np.zeros(len(pairs), np.bool_)
    found = list(_written(pairs, texts, a, b))
    for model in models:
        embedded = bench.embed(texts, model=model)
        vectors = embedded.vectors
        truncated |= embedded.truncated[u] | embedded.truncated[a] | embedded.truncated[b]
        found += _meant(vectors, (u, a, b), model if len(models) > 1 else "", len(models), bench)
    x = scratch((len(pairs), sum(block.columns for block in found)), bench.cache / "features")
    blocks, end = [], 0
    for block in found:
        bench.check_cancelled()
        blocks.append(slice(end, end := end + block.columns))
        _fill(x, blocks[-1], block.differ)
    # The first block.
    length = x[:, :1].astype(np.float64) if len(pairs) else np.zeros((0, 1))
    return Table(x, blocks, [b.name for b in found], np.array([b.trust for b in found]), length, truncated)


def _written(pairs: Sequence[HasTexts], texts: Sequence[str], a: Ints, b: Ints) -> Iterator[_Block]:
    counted = _unit(np.array([counts_of(text) for text in texts]).reshape(len(texts), -1), a, b)
    yield _Block("length", TRUST["length"], 1, lambda part: counted[b[part], :1] - counted[a[part], :1])
    yield _Block("counts", TRUST["counts"], counted.shape[1], lambda part: counted[b[part]] - counted[a[part]])
    seen = {key: manner(*key) for key in {(text, p.last_turn) for p in pairs for text in (p.a, p.b)}}
    apart = np.array([np.subtract(seen[p.b, p.last_turn], seen[p.a, p.last_turn]) for p in pairs])
    apart /= _spread(apart)
    yield _Block("manner", TRUST["manner"], apart.shape[1], lambda part: apart[part])
    responses = np.unique(np.concatenate([a, b]))
    at = np.zeros(len(texts), np.int64)
    at[responses] = np.arange(len(responses))
    common = common_words([texts[number] for number in responses])

    def words(part: slice) -> Floats:
        return np.asarray(common[at[b[part]]] - common[at[a[part]]], dtype=np.float64)

    yield _on_axes("words", TRUST["words"], words, len(pairs), power=0.0)


def _meant(
    vectors: NDArray[np.float32], ends: tuple[Ints, Ints, Ints], model: str, n_models: int, bench: Bench
) -> Iterator[_Block]:
    u, a, b = ends

    def apart(part: slice) -> Floats:
        return np.asarray(vectors[b[part]] - vectors[a[part]], dtype=np.float64)

    def by_turn(part: slice) -> Floats:
        return np.asarray(vectors[u[part]] * apart(part))

    def nearness(part: slice) -> Floats:
        return np.asarray(by_turn(part).sum(axis=1, keepdims=True))

    named = f" ({model})" if model else ""
    for name, differ in (("meaning", apart), ("meaning by turn", by_turn)):
        bench.check_cancelled()
        yield _on_axes(name + named, TRUST[name] / n_models, differ, len(u), power=0.5)
    yield _Block("nearness" + named, TRUST["nearness"] / n_models, 1, nearness)


def _on_axes(name: str, trust: float, differ: Differ, n: int, *, power: float) -> _Block:
    """The columns turned to the axes along which all pairs differ most, each times (its variance) ** power."""
    most = max(AXES, n // PAIRS_AN_AXIS)
    gram = sum((part.T @ part for part in map(differ, chunks_of(n))), np.zeros(()))
    values, axes = np.linalg.eigh(gram)
    values, axes = np.maximum(values[::-1][:most], 0.0), axes[:, ::-1][:, :most]
    weighed = axes * (values / max(values[0], 1e-300)) ** power
    return _Block(name, trust, weighed.shape[1], lambda part: differ(part) @ weighed)


def _fill(x: NDArray[np.float32], columns: slice, differ: Differ) -> None:
    """Written, then divided by the root of its mean square norm; what never differs stays zero."""
    square = 0.0
    for part in chunks_of(len(x)):
        values = differ(part)
        square += float(np.sum(values**2))
        x[part, columns] = values
    if square > 0:
        for part in chunks_of(len(x)):
            x[part, columns] *= np.float32(np.sqrt(len(x) / square))


def _unit(columns: Floats, a: Ints, b: Ints) -> Floats:
    return np.asarray(columns / _spread(columns[b] - columns[a]))


def _spread(apart: Floats) -> Floats:
    rms = np.sqrt(np.mean(apart**2, axis=0))
    return np.asarray(np.where(rms > 0, rms, 1.0))
