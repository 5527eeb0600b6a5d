"""The probabilities of answers to one pair: Davidson's model with any number of strengths of words.

P(answer k) is proportional to exp(c_|k| + k eta / 2) for k = -L..L; c_0 is the tie tendency, per vote; c_1 = 0.
All functions take arrays [votes] (or [pairs]) and broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.engine.aggregation.votes import Floats, Ints

STEEPEST = 60.0


@dataclass(frozen=True)
class Moments:
    """Of v = answer / 2, by which eta is multiplied; `variance` is the information of one vote on eta."""

    log_total: Floats
    mean: Floats
    variance: Floats
    tie: Floats
    # [levels]: probability of each strength of words, either side.
    by_level: list[Floats]


def moments(eta: Floats, log_tie: Floats, c: Floats) -> Moments:
    half = np.exp(0.5 * np.clip(eta, -STEEPEST, STEEPEST))
    tie = np.exp(log_tie)
    total, mean, square, by_level = tie.copy(), np.zeros_like(half), np.zeros_like(half), []
    up, down = np.ones_like(half), np.ones_like(half)
    for k, weight in enumerate(np.exp(c).tolist(), start=1):
        up, down = up * half, down / half
        both = weight * (up + down)
        total += both
        mean += (0.5 * k * weight) * (up - down)
        square += (0.25 * k * k) * both
        by_level.append(both)
    mean /= total
    square /= total
    return Moments(
        np.log(total), mean, np.maximum(square - mean * mean, 0.0), tie / total, [x / total for x in by_level]
    )


def log_probability(answer: Ints, eta: Floats, log_tie: Floats, c: Floats, log_total: Floats) -> Floats:
    clipped = np.clip(eta, -STEEPEST, STEEPEST)
    return np.asarray(np.where(answer == 0, log_tie, _offset(answer, c)) + 0.5 * answer * clipped - log_total)


def probability(answer: Ints, eta: Floats, log_tie: Floats, c: Floats) -> Floats:
    half = np.exp(0.5 * np.clip(eta, -STEEPEST, STEEPEST))
    total, up = np.exp(log_tie), np.ones_like(half)
    given = np.where(answer == 0, total, 0.0)
    for k, weight in enumerate(np.exp(c).tolist(), start=1):
        up = up * half
        down = 1.0 / up
        total = total + weight * (up + down)
        given = np.where(answer == k, weight * up, np.where(answer == -k, weight * down, given))
    return np.asarray(given / total)


def tie_reach(log_tie: Floats, c: Floats) -> Floats:
    """The gap >= 0 from which on one side is more probable than a tie; 0 where the tie never leads."""
    low, high = np.zeros_like(log_tie), np.maximum(2 * log_tie, 0.0)
    if len(c) == 1:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        side = np.log(np.sum([np.exp(c[k - 1] + 0.5 * k * middle) for k in range(1, len(c) + 1)], axis=0))
        low, high = np.where(side < log_tie, middle, low), np.where(side < log_tie, high, middle)
    return np.asarray(high)


def _offset(answer: Ints, c: Floats) -> Floats:
    return np.asarray(np.append(0.0, c)[np.abs(answer)])
