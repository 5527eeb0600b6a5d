"""Strength of comparisons, 10 heads x 5 folds, after the embeddings: 10,000 of them under a minute on two cores, and
100,000 in bounded memory.

The vectors are random and carry a planted preference. Beside the time of the first stands that of one plain
scikit-learn fit of a single head on the same features, the raw unit of work of which the vote does fifty. The second is
run in a process of its own: its peak of memory is told above what the vectors and texts take before the vote begins.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DIMS = 384
SIZES = (10_000, 100_000)
BUDGET_SECONDS = 60.0
BUDGET_BYTES = 2 * 2**30


def run(n: int, folder: Path) -> dict[str, float]:
    from workers.engine.bench import Bench
    from workers.engine.texts.embeddings import Embedded
    from workers.methods import model_vote
    from workers.methods._base import Pair

    rng = np.random.default_rng(0)
    texts = [f"{kind} {row}" for row in range(n) for kind in ("question", "first", "second")]
    vectors = rng.normal(size=(len(texts), DIMS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    row_of = {text: row for row, text in enumerate(texts)}
    truth = rng.normal(size=DIMS)

    class Ready(Bench):
        def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
            rows = [row_of[text] for text in texts]
            return Embedded(vectors[rows], np.zeros(len(rows), np.bool_))

    apart = (vectors[2::3] - vectors[1::3]) @ truth
    signs = np.where(apart + rng.normal(size=n) > 0, 1, -1)
    pairs = [
        Pair(row, 1, row, [{"role": "user", "content": f"question {row}"}], 2 * row, f"first {row}",
             2 * row + 1, f"second {row}", int(signs[row]))
        for row in range(n)
    ]  # fmt: skip
    bench = Ready(cache=folder)
    before = _peak()
    started = time.perf_counter()
    outcome = model_vote.run(pairs, model_vote.Params(), bench)
    seconds = time.perf_counter() - started
    found = {"seconds": seconds, "accuracy": outcome.result["accuracy"]["share"], "bytes": _peak() - before}
    return found | {"one_plain_fit": _one_plain_fit(pairs, bench) if n == SIZES[0] else 0.0}


def _peak() -> float:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def _one_plain_fit(pairs: Sequence[Any], bench: Any) -> float:
    from sklearn.linear_model import LogisticRegression

    from workers.engine.heads.table import comparison_table

    x = comparison_table(pairs, bench, models=["minilm"]).x.astype(np.float64)
    y = np.array([pair.sign for pair in pairs])
    started = time.perf_counter()
    LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000).fit(x, y)
    return time.perf_counter() - started


def _apart(n: int, folder: Path) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run, (n, folder))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="winnow-strength-") as folder:
        few, many = (_apart(n, Path(folder)) for n in SIZES)
    verdict = f"{'within' if few['seconds'] < BUDGET_SECONDS else 'OVER'} {BUDGET_SECONDS:.0f} s"
    print(
        f"strength of {SIZES[0]:,} comparisons, 10 heads x 5 folds: {few['seconds']:.1f} s, {verdict}; "
        f"{few['seconds'] / few['one_plain_fit']:.1f} times one scikit-learn fit ({few['one_plain_fit']:.2f} s); "
        f"held-out accuracy {few['accuracy']:.3f}"
    )
    verdict = f"{'within' if many['bytes'] < BUDGET_BYTES else 'OVER'} {BUDGET_BYTES / 2**30:.0f} GiB"
    print(
        f"strength of {SIZES[1]:,} comparisons: {many['seconds']:.1f} s, at most {many['bytes'] / 2**20:,.0f} MiB "
        f"above what was held before, {verdict}; held-out accuracy {many['accuracy']:.3f}"
    )


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
