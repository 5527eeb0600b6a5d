"""Many Bradley-Terry heads on one set of frozen features, fitted together.

A head is a vector beta with P(b better) = sigmoid(beta . x), where x is the feature of response b minus that of a.
There is no intercept, so the order of the two responses cannot matter: changing the sign of a row together with its
label leaves the loss as it was. All heads minimise

    L(beta) = sum_i w_i log(1 + exp(-y_i beta . x_i)) + l2/2 |beta|^2,      y_i = 1 or -1

each with its own row weights w (fold membership times bootstrap counts) and its own l2. They are fitted together by
Newton's method with conjugate gradients, so that every step is two matrix products for all heads, not a loop.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workers.engine.heads.rows import Floats as Floats
from workers.engine.heads.rows import Ints as Ints
from workers.engine.heads.rows import Rows

NEWTON_STEPS = 40
CONJUGATE_STEPS = 200
TOLERANCE = 1e-8


def fit_heads(
    x: Floats | Rows, y: Floats, weights: Floats, l2: Floats, *, check: Callable[[], None] = lambda: None
) -> Floats:
    """Heads as columns: x [n, d], y [n] in {-1, 1}, weights [n, h], l2 [h] -> beta [d, h]."""
    rows = x if isinstance(x, Rows) else Rows(x)
    toward = y[:, None]
    n_heads = weights.shape[1]
    beta = np.zeros((rows.shape[1], n_heads))
    precondition = _preconditioner(rows, weights, l2)
    active = np.arange(n_heads)
    for _ in range(NEWTON_STEPS):
        check()
        w, b, ridge = weights[:, active], beta[:, active], l2[active]
        margins = toward * rows.times(b)
        p = _sigmoid(-margins)
        slope = rows.back(np.hstack([toward * w * p, toward * 0.5 * w]))
        gradient = ridge * b - slope[:, : len(active)]
        scale = 1.0 + np.abs(slope[:, len(active) :]).max(axis=0)
        open_heads = np.abs(gradient).max(axis=0) > TOLERANCE * scale
        if not open_heads.any():
            break
        active, w, b, ridge = active[open_heads], w[:, open_heads], b[:, open_heads], ridge[open_heads]
        p, gradient, margins = p[:, open_heads], gradient[:, open_heads], margins[:, open_heads]
        step = _solve(rows, w * p * (1.0 - p), ridge, gradient, precondition)
        beta[:, active] = b - _damping(margins, toward * rows.times(step), w, ridge, b, step, gradient) * step
    return beta


def _solve(x: Rows, curvature: Floats, l2: Floats, right: Floats, precondition: Callable[[Floats], Floats]) -> Floats:
    """Conjugate gradients on (X' C X + l2) s = right, for all heads at once."""
    solution = np.zeros_like(right)
    residual = right.copy()
    z = precondition(residual)
    direction = z.copy()
    rz = (residual * z).sum(axis=0)
    # Near the optimum each Newton step then gains several digits.
    goal = 1e-6 * rz + 1e-300
    for _ in range(CONJUGATE_STEPS):
        product = x.back(curvature * x.times(direction, quick=True), quick=True) + l2 * direction
        length = rz / np.maximum((direction * product).sum(axis=0), 1e-300)
        solution += length * direction
        residual -= length * product
        z = precondition(residual)
        following = (residual * z).sum(axis=0)
        if (following <= goal).all():
            break
        direction = z + (following / np.maximum(rz, 1e-300)) * direction
        rz = following
    return solution


def _preconditioner(x: Rows, weights: Floats, l2: Floats) -> Callable[[Floats], Floats]:
    """The mean curvature of all heads: a quarter is the most a logistic row can bend."""
    matrix = 0.2 * x.gram(weights.mean(axis=1))
    matrix[np.diag_indices_from(matrix)] += float(np.median(l2))
    inverse = np.linalg.inv(matrix)

    def apply(columns: Floats) -> Floats:
        return np.asarray(inverse @ columns)

    return apply


def _damping(
    at_beta: Floats, at_step: Floats, w: Floats, l2: Floats, beta: Floats, step: Floats, gradient: Floats
) -> Floats:
    """Per head, the first of 1, 1/2, 1/4, ... that lowers the loss enough; `at_` [n, h]: margins of beta and step."""
    before = _loss(at_beta, w, l2, beta)
    slope = (gradient * step).sum(axis=0)
    size = np.ones(beta.shape[1])
    for _ in range(30):
        after = _loss(at_beta - size * at_step, w, l2, beta - size * step)
        too_long = after > before - 1e-4 * size * slope + 1e-12 * np.abs(before)
        if not too_long.any():
            break
        size = np.where(too_long, size / 2, size)
    return size


def _loss(margins: Floats, w: Floats, l2: Floats, beta: Floats) -> Floats:
    return np.asarray((w * np.logaddexp(0.0, -margins)).sum(axis=0) + 0.5 * l2 * (beta * beta).sum(axis=0))


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))


def grouped_folds(groups: Ints, n_folds: int, rng: np.random.Generator) -> Ints:
    """A fold for every row; rows of one group share it, and the folds hold nearly as many rows as each other."""
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(names))
    # Big groups first, each into the emptiest fold; the shuffle decides among equals.
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    filled = np.zeros(n_folds)
    fold_of = np.zeros(len(names), dtype=np.int64)
    for group in order:
        fold = int(np.argmin(filled))
        fold_of[group] = fold
        filled[fold] += sizes[group]
    return np.asarray(fold_of[inverse])


def bootstrap_weights(groups: Ints, n_heads: int, rng: np.random.Generator) -> Floats:
    """How often each row is drawn, [n, heads]: whole groups are drawn with replacement."""
    names, inverse = np.unique(groups, return_inverse=True)
    draws = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=n_heads)
    return np.asarray(draws.T[inverse], dtype=np.float64)


def wilson(successes: float, n: int, z: float = 1.959963984540054) -> tuple[float, float] | None:
    """The 95 % interval of a share; None without rows."""
    if n == 0:
        return None
    share = successes / n
    centre = share + z * z / (2 * n)
    reach = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    low, high = (centre - reach) / (1 + z * z / n), (centre + reach) / (1 + z * z / n)
    return max(0.0, float(low)), min(1.0, float(high))
