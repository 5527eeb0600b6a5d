"""Near-duplicate responses among 100,000, beside datasketch's MinHash LSH on the same texts in the same run.

Both use 128 values a text and the same shingles (runs of nine bytes), find candidates by bands and check each by its
Jaccard overlap. A tenth of the texts are others with a few words changed. datasketch takes a tenth of the texts, and
its time is told per text: all of them would take minutes and tell no more.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
N, PEER_N, THRESHOLD = 100_000, 10_000, 0.85


def make_texts(n: int, seed: int = 0) -> tuple[list[str], set[tuple[int, int]]]:
    """Texts of 60 to 140 words, about 600 letters, and the pairs (original, changed copy)."""
    rng = np.random.default_rng(seed)
    words = np.array(["".join(rng.choice(list("aeioubcdlmnprst"), size=rng.integers(2, 9))) for _ in range(20_000)])
    originals = n - n // 10
    texts = [" ".join(words[rng.integers(len(words), size=rng.integers(60, 140))]) for _ in range(originals)]
    planted = set()
    for number in range(n // 10):
        changed = texts[number].split()
        for _ in range(2):
            changed[int(rng.integers(len(changed)))] = "changed"
        planted.add((number, len(texts)))
        texts.append(" ".join(changed))
    return texts, planted


def ours(texts: list[str]) -> tuple[float, set[tuple[int, int]]]:
    from workers.engine.texts.minhash import near_texts

    started = time.perf_counter()
    found = {(i, j) for i, j, _ in near_texts(texts, THRESHOLD)}
    return time.perf_counter() - started, found


def peer(texts: list[str]) -> tuple[float, set[tuple[int, int]]]:
    from datasketch import MinHash, MinHashLSH

    from workers.engine.texts.minhash import SHINGLE, normal

    started = time.perf_counter()
    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    found = set()
    shingles = []
    for number, text in enumerate(texts):
        letters = normal(text)
        shingles.append({letters[at : at + SHINGLE] for at in range(len(letters) - SHINGLE + 1)})
        minhash = MinHash(num_perm=128)
        minhash.update_batch(list(shingles[-1]))
        for other in lsh.query(minhash):
            both = shingles[other] & shingles[-1]
            if len(both) >= THRESHOLD * (len(shingles[other]) + len(shingles[-1]) - len(both)):
                found.add((other, number))
        lsh.insert(number, minhash)
    return time.perf_counter() - started, found


def main() -> None:
    texts, planted = make_texts(N)
    seconds, found = ours(texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    some, some_planted = make_texts(PEER_N)
    own_seconds, own_found = ours(some)
    peer_seconds, peer_found = peer(some)
    letters = sum(map(len, texts))
    print(
        f"{N:,} responses, {letters / N:.0f} letters each: {seconds:.1f} s, {N / seconds:,.0f} a second, "
        f"peak {peak:.0f} MiB"
    )
    print(f"  near pairs found {len(found):,}; of {len(planted):,} planted {len(found & planted):,}")
    print(
        f"datasketch on {PEER_N:,}: {peer_seconds:.1f} s, {PEER_N / peer_seconds:,.0f} a second, "
        f"{len(peer_found & some_planted):,} of {len(some_planted):,} planted; ours on the same {own_seconds:.1f} s, "
        f"{len(own_found & some_planted):,}: {peer_seconds / own_seconds:.1f} times as fast"
    )


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
