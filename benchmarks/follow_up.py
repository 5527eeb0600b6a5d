"""Follow-up likelihood with toys trained here: on published preferences, and where satisfaction is planted.

python -m benchmarks follow_up            # ../shared/data beside the checkout, or WINNOW_REAL_DATA

Published: the weak toys of `density_ratio` learned whole conversations, so what the person says next inside a
transcript is a real follow-up. They are asked about every other held-out row of helpful and harmless, with the bundled
remarks.
Planted: a toy learns made-up dialogues in which a person goes on with praise behind an answer with a certain word and
with a complaint behind one with another, contrary in one of five; praise and complaint are half of the bundled remarks.
It is asked with that half and with the other one, on answers whose length says nothing.
Beside the score: length alone (the sign that training rows favour), and the same score with the polarities of the
remarks shuffled within their aspect, mean and middle 95 % of 200 draws. Three seeds, mean and sd; intervals (95 %) are
of the mean over the seeds and draw whole prompts. WINNOW_SEEDS=1 for fewer; with
WINNOW_ONE_WEAK=1 the published rows are asked of one toy only.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.methods._base import Pair

if TYPE_CHECKING:
    from benchmarks.toy_sets import Nursery
    from workers.engine.bench import Bench
    from workers.engine.followups.remarks import FollowUps
    from workers.engine.heads.bradley_terry import Floats

ROOT = Path(__file__).resolve().parents[1]
WORDS = ["bread", "water", "salt", "time", "hand", "light", "stone", "river", "small", "great", "often", "never", "new"]
GOOD, BAD = "indeed", "hardly"
DIALOGUES, EPOCHS, CONTRARY, PLANTED = 600, 10, 0.2, 200
SHUFFLES = 200
EVERY = 2


def main() -> None:
    from benchmarks.toy_sets import Nursery, divided_sets
    from curation.wordings.kinds import bundled
    from workers.engine.bench import Bench
    from workers.engine.followups.remarks import read_set

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    home = Path(os.environ.get("WINNOW_HOME", ROOT / "var"))
    nursery = Nursery(divided_sets(data), home)
    bench = Bench(cache=home / "cache", models=nursery.models)
    remarks, started = read_set(bundled("follow_ups")), time.perf_counter()
    seeds = range(int(os.environ.get("WINNOW_SEEDS", "3")))
    _planted(nursery, remarks, bench, seeds)
    _published(nursery, remarks, bench, seeds)
    print(f"{time.perf_counter() - started:.0f} s, of which {nursery.seconds:.0f} s training toys that were not there.")


def _planted(nursery: Nursery, remarks: FollowUps, bench: Bench, seeds: Sequence[int]) -> None:
    seen, unseen = halves(remarks)
    pairs = [planted_pairs(seed) for seed in seeds]
    toys = [nursery.made("planted", partial(dialogues, seen, seed), EPOCHS, seed).name for seed in seeds]
    for name, asked in (("remarks that it learned", seen), ("remarks that it never saw", unseen)):
        said = [_said(some, asked, toy, bench) for some, toy in zip(pairs, toys, strict=True)]
        told(f"planted satisfaction, {name}", pairs, said, asked, [1] * len(pairs))


def _published(nursery: Nursery, remarks: FollowUps, bench: Bench, seeds: Sequence[int]) -> None:
    from benchmarks.density_ratio import learned_sign
    from benchmarks.toy_sets import HAS_ONE_WEAK

    # Further seeds of one and the same toy would say the same again.
    seeds = seeds[:1] if HAS_ONE_WEAK else seeds
    for one in list(nursery.sets.values())[:2]:
        pairs = one.held_out[::EVERY]
        said = [_said(pairs, remarks, nursery.weak(seed).name, bench) for seed in seeds]
        told(one.name, [pairs] * len(said), said, remarks, [learned_sign(one)] * len(said))


def halves(remarks: FollowUps) -> tuple[FollowUps, FollowUps]:
    """The first and the second half of each polarity of each aspect."""
    from workers.engine.followups.remarks import Aspect, FollowUps

    def part(of: slice) -> FollowUps:
        return FollowUps(
            tuple(Aspect(one.name, one.positive[of], one.negative[of]) for one in remarks.aspects), remarks.neutral
        )

    return part(slice(0, None, 2)), part(slice(1, None, 2))


def dialogues(remarks: FollowUps, seed: int) -> list[list[dict[str, str]]]:
    rng = np.random.default_rng([1, seed])
    praise = [text for aspect in remarks.aspects for text in aspect.positive]
    complaint = [text for aspect in remarks.aspects for text in aspect.negative]
    found = []
    for _ in range(DIALOGUES):
        is_good, is_contrary = rng.random() < 0.5, rng.random() < CONTRARY
        answer = _answer(GOOD if is_good else BAD, rng)
        remark = str(rng.choice(praise if is_good != is_contrary else complaint))
        found.append([_turn("user", _some(rng, 5)), _turn("assistant", answer), _turn("user", remark)])
    return found


def planted_pairs(seed: int) -> list[Pair]:
    """The better answer has the one word and the other the other; how long they are says nothing."""
    rng = np.random.default_rng([2, seed])
    pairs = []
    for number in range(PLANTED):
        good, bad = _answer(GOOD, rng), _answer(BAD, rng)
        a, b, label = (good, bad, -1) if rng.random() < 0.5 else (bad, good, 1)
        asked = [_turn("user", _some(rng, 5))]
        pairs.append(Pair(number, 1, number, asked, 2 * number, a, 2 * number + 1, b, label))
    return pairs


def _answer(word: str, rng: np.random.Generator) -> str:
    words = _some(rng, int(rng.integers(4, 16))).split()
    words.insert(int(rng.integers(len(words) + 1)), word)
    return " ".join(words)


def _some(rng: np.random.Generator, n: int) -> str:
    return " ".join(str(word) for word in rng.choice(WORDS, size=n))


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _said(pairs: Sequence[Pair], remarks: FollowUps, model: str, bench: Bench) -> tuple[Floats, Any]:
    """By how much each remark is likelier behind b than behind a [rows, remarks]; and which rows are clean."""
    from benchmarks.toy_sets import wait_while_quiet
    from workers.engine.followups.remarks import Aspect, FollowUps
    from workers.engine.followups.said import Scale, measure

    wait_while_quiet()
    # An aspect of one remark is that remark.
    each = FollowUps(tuple(Aspect(text, (text,), ()) for text in remarks.texts), remarks.neutral)
    found = measure(pairs, each, Scale(model), bench)
    return found.aspects, found.is_clean & np.isfinite(found.mean)


def told(
    name: str, pairs: Sequence[Sequence[Pair]], said: Sequence[tuple[Floats, Any]], remarks: FollowUps,
    length_signs: Sequence[int],
) -> None:  # fmt: skip
    from workers.engine.gain.paired import bootstrap_means, interval
    from workers.engine.people.clustered import clustered_share
    from workers.engine.probes.agreement import hits

    rows = np.all([clean for _, clean in said], axis=0)
    prompts = np.array([pair.prompt_id for pair in pairs[0]])[rows]
    score, length, shuffled = [], [], []
    for some, (apart, _), longer in zip(pairs, said, length_signs, strict=True):
        sign = np.array([pair.sign for pair in some])[rows]
        by = np.array([float(len(pair.b) - len(pair.a)) for pair in some])[rows]
        score.append(hits((apart[rows] @ remarks.weights).mean(axis=1), sign))
        length.append(hits(longer * by, sign))
        shuffled.append([hits((apart[rows] @ w).mean(axis=1), sign).mean() for w in shuffles(remarks)])
    print(f"\n{name}: n = {rows.sum():,} of {len(rows):,} rows, {len(said)} seeds")
    for arm, found in (("follow-up", score), ("length alone", length)):
        together = np.mean(found, axis=0)
        low, high = clustered_share(together, prompts)["interval"]
        by_seed = [float(one.mean()) for one in found]
        print(f"    {arm:<22}{together.mean():.3f} {_spread(by_seed):<11} {low:.3f} to {high:.3f}", flush=True)
    ahead = np.mean(score, axis=0) - np.mean(length, axis=0)
    low, high = interval(bootstrap_means(ahead[:, None], prompts, seed=[0, len(ahead)])[:, 0])
    print(f"    {'ahead of length':<22}{ahead.mean():+.3f}            {low:+.3f} to {high:+.3f}")
    drawn = np.array(shuffled)
    low, high = np.quantile(drawn, [0.025, 0.975])
    print(f"    {'polarities shuffled':<22}{drawn.mean():.3f} {_spread(list(drawn.mean(axis=1))):<11} ", end="")
    print(f"{low:.3f} to {high:.3f}, the middle of the draws", flush=True)


def shuffles(remarks: FollowUps) -> list[Floats]:
    """The remarks' matrix with praise and complaint dealt anew within each aspect."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(SHUFFLES):
        weights = remarks.weights.copy()
        for column in weights.T:
            places = np.flatnonzero(column)
            column[places] = rng.permutation(column[places])
        found.append(weights)
    return found


def _spread(values: Sequence[float]) -> str:
    return f"(sd {np.std(values, ddof=1):.3f})" if len(values) > 1 else ""


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
