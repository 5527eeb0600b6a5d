"""Rows embedded a second, beside a bare sentence-transformers loop over the same texts in the same run.

The bare loop calls `encode` on 64 texts at a time as they come, which is what one writes first; `encode` on all of them
at once sorts by length as we do. Ours also hashes each text, looks it up, keeps its vector on disk and tells which
texts were cut. A second call then reads them all from the cache. Texts are words of the bundled sample drawn to the
lengths of chat answers (median 60 words, a tenth beyond 220).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "platform" / "corpus" / "sample"
N, BATCH, ROUNDS = 600, 64, 3
CACHED_N = 100_000


def make_texts(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    words = np.array(" ".join(path.read_text() for path in sorted(SAMPLE.rglob("*.yaml"))).split())
    lengths = np.clip(rng.lognormal(np.log(60), 1.0, size=n).astype(int), 3, 600)
    return [" ".join(rng.choice(words, size=length)) for length in lengths]


def bare_loop(texts: list[str], model: Any) -> None:
    for start in range(0, len(texts), BATCH):
        model.encode(texts[start : start + BATCH], batch_size=BATCH, show_progress_bar=False)


def all_at_once(texts: list[str], model: Any) -> None:
    model.encode(texts, batch_size=BATCH, show_progress_bar=False)


def ours(texts: list[str], cache: Path) -> None:
    from workers.engine.texts.embeddings import embed

    embed(texts, model="minilm", cache=cache)


def seconds_of(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def timed(texts: list[str]) -> dict[str, float]:
    """Medians over rounds in which each takes its turn."""
    from sentence_transformers import SentenceTransformer

    from workers.engine.texts.embeddings import model_folder

    model = SentenceTransformer(str(model_folder("minilm")), device="cpu", local_files_only=True)
    found: dict[str, list[float]] = {"bare loop": [], "encode all": [], "embed": [], "embed again": []}
    with tempfile.TemporaryDirectory() as scratch:
        ours(texts[:BATCH], Path(scratch) / "warm")
        for turn in range(ROUNDS):
            cache = Path(scratch) / str(turn)
            found["bare loop"].append(seconds_of(lambda: bare_loop(texts, model)))
            found["encode all"].append(seconds_of(lambda: all_at_once(texts, model)))
            found["embed"].append(seconds_of(lambda cache=cache: ours(texts, cache)))  # type: ignore[misc]  # bound now
            found["embed again"].append(seconds_of(lambda cache=cache: ours(texts, cache)))  # type: ignore[misc]  # bound now
    return {name: statistics.median(times) for name, times in found.items()}


def read_back() -> float:
    """Seconds to read 100,000 cached vectors."""
    from hashlib import sha256

    from workers.engine.texts import embeddings
    from workers.engine.texts.store import keep

    texts = [f"text {number}" for number in range(CACHED_N)]
    vector = np.ones(384, np.float16).tobytes()
    with tempfile.TemporaryDirectory() as scratch:
        folder = embeddings.model_folder("minilm")
        with embeddings._open_cache(Path(scratch), folder) as store:
            keep(store, {sha256(text.encode()).digest(): (vector, False) for text in texts})
        return seconds_of(lambda: ours(texts, Path(scratch)))


def main() -> None:
    texts = make_texts(N)
    found = timed(texts)
    bare = found["bare loop"]
    words = statistics.median(len(text.split()) for text in texts)
    print(f"{N:,} texts, {words:.0f} words in the median, medians of {ROUNDS} rounds by turns")
    for name, seconds in found.items():
        print(f"  {name:<12} {seconds:7.2f} s  {N / seconds:9,.0f} a second  {bare / seconds:6.2f} times the bare loop")
    print(f"{CACHED_N:,} vectors from the cache: {read_back():.1f} s")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
