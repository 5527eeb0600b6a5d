"""Whether a margin means what it says: expected calibration error, before and after a temperature.

Formula
    p = sigmoid(margin / T), the probability that b is better; confidence = max(p, 1 - p)
    ECE = sum over bins of n_bin / n |mean confidence - share that agrees with the label|, bins of equal numbers of rows
    T is the one under which the labels of one half of the prompts are most probable; ECE is measured on the other half.
    ECE is above 0 by chance alone: `expected` is its mean were every label drawn with the very p.

Paper
    Guo et al. 2017, On Calibration of Modern Neural Networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.probes.record import Probe

BINS, ROWS_PER_BIN, LEAST = 10, 20, 200
DRAWS, STEPS = 200, 60
# A temperature so many times the usual margin leaves every probability near one half.
SAYS_NOTHING = 50


def ask(margin: Floats, sign: Ints, prompts: Ints, *, seed: int) -> Probe:
    """Told only: margins of a sum over tokens are no log-odds, and a temperature mends most of that."""
    n = len(sign)
    is_first = _first_half(prompts, seed)
    first, second = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    if n < LEAST or min(len(first), len(second)) < BINS:
        words = (
            f"How far its margins can be read as probabilities cannot be said from {n:,} labels; {LEAST} are needed."
        )
        return Probe("ece", None, words, n=n, blocks=False)
    fitted = temperature(margin[first], sign[first])
    held, labels = margin[second], sign[second]
    bins = max(2, min(BINS, len(second) // ROWS_PER_BIN))
    raw, calibrated = (ece(held / t, labels, bins) for t in (1.0, fitted))
    rng = np.random.default_rng([seed, n])
    low, high = _bootstrap(held, labels, prompts[second], bins, rng)
    details = {
        "bins": bins, "temperature": fitted, "calibrated": calibrated, "n_fitted": len(first),
        "expected": _by_chance(held / fitted, bins, rng),
    }  # fmt: skip
    words = f"Read as log-odds, its margins are off by {raw:.2f} on average (ECE, {bins} bins)"
    if fitted > SAYS_NOTHING * _spread(margin[first]):
        words += f", and no temperature mends that: on {len(first):,} other labels they say nothing of which is better."
    else:
        words += (
            f", and by {calibrated:.2f} when divided by the temperature {fitted:,.3g}, fitted on {len(first):,} "
            f"other labels. By chance alone a scorer without error would show {details['expected']:.2f} here."
        )
    return Probe("ece", None, words, raw, low, high, len(second), blocks=False, details=details)


def ece(margin: Floats, sign: Ints, bins: int) -> float:
    order = np.argsort(np.abs(margin), kind="stable")
    confidence = 0.5 * (1 + np.tanh(0.5 * np.abs(margin[order])))
    toward = (margin * sign)[order]
    right = (toward > 0) + 0.5 * (toward == 0)
    gaps = [float(part.sum()) for part in np.array_split(confidence - right, bins)]
    return float(np.abs(gaps).sum() / len(margin))


def temperature(margin: Floats, sign: Ints) -> float:
    """By golden section on its logarithm; the largest of the range where margins say nothing."""
    spread = _spread(margin)
    toward = margin * sign

    def loss(log_t: float) -> float:
        return float(np.logaddexp(0.0, -toward / np.exp(log_t)).mean())

    low, high = np.log(spread) - 7, np.log(spread) + 7
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(STEPS):
        one, other = high - ratio * (high - low), low + ratio * (high - low)
        if loss(one) <= loss(other):
            high = other
        else:
            low = one
    return float(np.exp((low + high) / 2))


def _spread(margin: Floats) -> float:
    return float(np.sqrt(np.mean(margin**2))) or 1.0


def _first_half(prompts: Ints, seed: int) -> Any:
    """A prompt is wholly in one half."""
    names = np.unique(prompts)
    drawn = np.random.default_rng([seed, len(names)]).permutation(len(names)) < len(names) / 2
    return drawn[np.searchsorted(names, prompts)]


def _bootstrap(
    margin: Floats, sign: Ints, prompts: Ints, bins: int, rng: np.random.Generator
) -> tuple[float | None, float | None]:
    """The middle 95 % over draws of prompts, which is a little above the figure since a draw repeats rows."""
    names, inverse = np.unique(prompts, return_inverse=True)
    rows = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    drawn = []
    for _ in range(DRAWS):
        at = np.concatenate([rows[group] for group in rng.integers(len(names), size=len(names))])
        drawn.append(ece(margin[at], sign[at], bins))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _by_chance(margin: Floats, bins: int, rng: np.random.Generator) -> float:
    p = 0.5 * (1 + np.tanh(0.5 * margin))
    return float(np.mean([ece(margin, np.where(rng.random(len(p)) < p, 1, -1), bins) for _ in range(DRAWS // 4)]))
