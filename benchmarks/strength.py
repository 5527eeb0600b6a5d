"""Strength of 10,000 comparisons, 10 heads x 5 folds, after the embeddings: under a minute on two cores.

The vectors are random and carry a planted preference; beside the time stands that of one plain scikit-learn fit of a
single head on the same features, the raw unit of work of which the vote does fifty.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
N, DIMS = 10_000, 384
BUDGET_SECONDS = 60.0


def run() -> dict[str, float]:
    from workers.engine.bench import Bench
    from workers.engine.embeddings import Embedded
    from workers.methods import model_vote
    from workers.methods._base import Pair

    rng = np.random.default_rng(0)
    texts = [f"{kind} {row}" for row in range(N) for kind in ("question", "first", "second")]
    vectors = rng.normal(size=(len(texts), DIMS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    row_of = {text: row for row, text in enumerate(texts)}
    truth = rng.normal(size=DIMS)

    class Ready(Bench):
        def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
            rows = [row_of[text] for text in texts]
            return Embedded(vectors[rows], np.zeros(len(rows), np.bool_))

    def sign(row: int) -> int:
        apart = vectors[row_of[f"second {row}"]] - vectors[row_of[f"first {row}"]]
        return 1 if apart @ truth + rng.normal() > 0 else -1

    pairs = [
        Pair(row, 1, row, [{"role": "user", "content": f"question {row}"}], 2 * row, f"first {row}",
             2 * row + 1, f"second {row}", sign(row))
        for row in range(N)
    ]  # fmt: skip
    bench = Ready(cache=Path(tempfile.gettempdir()))
    started = time.perf_counter()
    outcome = model_vote.run(pairs, model_vote.Params(), bench)
    seconds = time.perf_counter() - started
    accuracy = outcome.result["accuracy"]["share"]
    return {"seconds": seconds, "accuracy": accuracy, "one_plain_fit": _one_plain_fit(pairs, bench)}


def _one_plain_fit(pairs: Sequence[object], bench: object) -> float:
    from sklearn.linear_model import LogisticRegression

    from workers.engine.features import differences

    x = differences(pairs, bench, model="minilm").embedded  # type: ignore[arg-type]  # the pairs of `run`
    y = np.array([pair.sign for pair in pairs])  # type: ignore[attr-defined]  # the pairs of `run`
    started = time.perf_counter()
    LogisticRegression(C=0.01, fit_intercept=False, max_iter=1000).fit(x, y)
    return time.perf_counter() - started


def main() -> None:
    found = run()
    verdict = f"{'within' if found['seconds'] < BUDGET_SECONDS else 'OVER'} {BUDGET_SECONDS:.0f} s"
    print(
        f"strength of {N:,} comparisons, 10 heads x 5 folds: {found['seconds']:.1f} s, {verdict}; "
        f"{found['seconds'] / found['one_plain_fit']:.1f} times one scikit-learn fit ({found['one_plain_fit']:.2f} s); "
        f"held-out accuracy {found['accuracy']:.3f}"
    )


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
