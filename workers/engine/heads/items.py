"""Strengths of responses that recur across comparisons, on top of what a text head says of each pair.

Model
    P(b better) = sigmoid(2 (slope t + u_b - u_a)),   u ~ N(0, tau2),   t [pairs] the text margin, 0 where there is none
    A tie is half a win for each side. slope and tau2 come from the evidence of the linear twin y = slope t + u_b - u_a
    + noise, y in {-1, 0, 1}, whose noise variance sigma2 (so also the share of wrong labels) is estimated beside them;
    the penalty of u in the logistic fit is sigma2 / tau2, as in `evidence`. Responses of different prompts never meet,
    so all matrices are those of one prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import Floats, Ints

ROUNDS = 40
TOLERANCE = 1e-3
NEWTON_STEPS = 12


@dataclass(frozen=True)
class Rivals:
    """The pairs of one prompt: `rows` [n] of the source, `a` and `b` [n] count its responses from 0."""

    rows: Ints
    a: Ints
    b: Ints
    size: int

    def design(self, among: NDArray[np.bool_]) -> Floats:
        """[rows, size]: 1 at b, -1 at a."""
        z = np.zeros((int(among.sum()), self.size))
        rows = np.arange(len(z))
        np.add.at(z, (rows, self.b[among]), 1.0)
        np.add.at(z, (rows, self.a[among]), -1.0)
        return z


@dataclass(frozen=True)
class Balance:
    """How far text and recurrence are believed: slope of the text margin, variance of the strengths, noise of the
    signs (all in units where a sure label is 1)."""

    slope: float
    tau2: float
    noise: float


def rivals_of(prompt: Ints, a: Ints, b: Ints) -> list[Rivals]:
    order = np.argsort(prompt, kind="stable")
    starts = np.flatnonzero(np.diff(prompt[order], prepend=prompt[order[:1]] - 1))
    found = []
    for rows in np.split(order, starts[1:]):
        names, index = np.unique(np.concatenate([a[rows], b[rows]]), return_inverse=True)
        found.append(Rivals(rows, index[: len(rows)], index[len(rows) :], len(names)))
    return found


def balance(rivals: list[Rivals], y: Floats, t: Floats, train: NDArray[np.bool_]) -> Balance:
    """Rounds of MacKay's update over all prompts; `y` in {-1, 0, 1}, `train` flags the rows that may be read."""
    parts = []
    for some in rivals:
        among = train[some.rows]
        if among.any():
            z = some.design(among)
            rows = some.rows[among]
            parts.append((z.T @ z, z, y[rows], t[rows]))
    n = float(sum(len(part[2]) for part in parts))
    tt = sum(float(part[3] @ part[3]) for part in parts)
    slope, tau2, noise = 0.0, 0.1, 0.9
    for _ in range(ROUNDS):
        last = (slope, tau2, noise)
        along = gamma = square = rest = weight = 0.0
        for gram, z, said, text in parts:
            covariance = np.linalg.inv(gram / noise + np.eye(len(gram)) / tau2)
            u = covariance @ (z.T @ (said - slope * text)) / noise
            gamma += len(gram) - float(np.trace(covariance)) / tau2
            square += float(u @ u)
            rest += float(np.sum((said - slope * text - z @ u) ** 2))
            # The slope with u summed out: generalised least squares.
            zt = z.T @ text
            weight += float(text @ text - zt @ covariance @ zt / noise)
            along += float(text @ said - zt @ covariance @ (z.T @ said) / noise)
        tau2 = max(square / max(gamma, 1e-9), 1e-6)
        noise = float(np.clip(rest / max(n - gamma - (tt > 0), 1.0), 0.02, 1.0))
        slope = max(along / weight, 0.0) if weight > 1e-9 else 0.0
        if np.allclose(last, (slope, tau2, noise), rtol=TOLERANCE, atol=1e-6):
            break
    return Balance(slope, tau2, noise)


def held_out_gaps(
    rivals: list[Rivals],
    y: Floats,
    t: Floats,
    train: NDArray[np.bool_],
    found: Balance,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Floats]:
    """(gap, standard error) [rows] in log-odds / 2 for the rows that are not `train`; NaN for the others."""
    gap, error = np.full(len(y), np.nan), np.full(len(y), np.nan)
    for some in rivals:
        check()
        among = train[some.rows]
        if among.all():
            continue
        z, rows = some.design(among), some.rows[among]
        u, covariance = _fit(z, y[rows], found.slope * t[rows], found.noise / max(found.tau2, 1e-6))
        apart = some.design(~among)
        left = some.rows[~among]
        gap[left] = found.slope * t[left] + apart @ u
        error[left] = np.sqrt(found.noise * np.maximum(np.sum((apart @ covariance) * apart, axis=1), 0.0))
    return gap, error


def _fit(z: Floats, y: Floats, offset: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Newton's method on sum log(1 + exp(-2 y m)) + ridge |u|^2 / 2, m = offset + z u; a tie counts half for both
    sides, so its slope is that of y = 0. The curvature at zero is 1, as in the linear twin."""
    u = np.zeros(z.shape[1])
    eye = ridge * np.eye(len(u))
    hessian = eye
    for _ in range(NEWTON_STEPS):
        expected = np.tanh(offset + z @ u)
        gradient = z.T @ (expected - y) + ridge * u
        # Never quite flat: steps stay within reach where the fit is sure.
        hessian = z.T @ (z * np.maximum(1 - expected**2, 0.05)[:, None]) + eye
        step = np.linalg.solve(hessian, gradient)
        u = u - step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return u, np.asarray(np.linalg.inv(hessian), dtype=np.float64)
