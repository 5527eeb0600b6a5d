"""What a comparison looks like to a linear head: the feature of response b minus that of response a."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import Floats

if TYPE_CHECKING:
    from workers.engine.bench import Bench

# How easily a head may use a column: chosen on real pairs, where 0.1 starved the counts and 1 let them drown the rest.
COUNT_SCALE = 0.3
EMBEDDING_SCALE = 3.0


class HasTexts(Protocol):
    @property
    def a(self) -> str: ...
    @property
    def b(self) -> str: ...
    @property
    def last_turn(self) -> str: ...


@dataclass(frozen=True)
class Differences:
    """`embedded` [n, 2 dims + 1], `counts` [n, 6], `length` [n, 1]: b minus a, so swapping sides turns the sign."""

    embedded: Floats
    counts: Floats
    length: Floats
    # Whether the model read only the beginning of a response or of the person's turn.
    truncated: NDArray[np.bool_]

    def in_blocks(self) -> tuple[Floats, list[slice], list[str]]:
        """(x, blocks of columns, their names), for a fit that weighs each block by itself."""
        dims = (self.embedded.shape[1] - 1) // 2
        sizes = {"length": 1, "counts": self.counts.shape[1], "meaning": dims, "meaning by turn": dims, "nearness": 1}
        ends = np.cumsum(list(sizes.values()))
        blocks = [slice(int(end) - size, int(end)) for size, end in zip(sizes.values(), ends, strict=True)]
        return np.hstack([self.length, self.counts, self.embedded]), blocks, list(sizes)


def texts_of(pairs: Sequence[HasTexts]) -> list[str]:
    """Every text that a feature needs, each once, in a fixed order."""
    return sorted({text for pair in pairs for text in (pair.last_turn, pair.a, pair.b)})


def differences(pairs: Sequence[HasTexts], bench: Bench, *, model: str) -> Differences:
    """With e the embedding, u the person's last turn: e(b) - e(a), e(u) * (e(b) - e(a)) elementwise, and its sum.

    The latter two let a head value nearness to what was asked. Turn and responses are embedded apart, since
    together they are more often longer than what the model reads.
    """
    texts = texts_of(pairs)
    found = bench.embed(texts, model=model)
    row = {text: index for index, text in enumerate(texts)}
    u, a, b = (np.array([row[getattr(pair, name)] for pair in pairs]) for name in ("last_turn", "a", "b"))
    vectors = found.vectors.astype(np.float64)
    apart = vectors[b] - vectors[a]
    toward = vectors[u] * apart * np.sqrt(vectors.shape[1])
    counted = np.array([counts_of(text) for text in texts])
    counts = counted[b] - counted[a]
    return Differences(
        embedded=np.hstack([EMBEDDING_SCALE * apart, toward, COUNT_SCALE * _unit(toward.sum(axis=1, keepdims=True))]),
        counts=COUNT_SCALE * _unit(counts),
        length=_unit(counts[:, :1]),
        truncated=found.truncated[u] | found.truncated[a] | found.truncated[b],
    )


def counts_of(text: str) -> list[float]:
    """log(1 + n) of characters, words, lines, list items, question marks, digits."""
    items = sum(line.lstrip().startswith(("- ", "* ", "1.", "2.", "3.")) for line in text.splitlines())
    digits = sum(map(str.isdigit, text))
    numbers = (len(text), len(text.split()), text.count("\n"), items, text.count("?"), digits)
    return [float(np.log1p(number)) for number in numbers]


def _unit(columns: Floats) -> Floats:
    """Divided by the root mean square, which swapping sides leaves alone; a constant zero stays zero."""
    rms: Any = np.sqrt(np.mean(columns**2, axis=0))
    return np.asarray(columns / np.where(rms > 0, rms, 1.0))
