"""How far a fit may lean on each block of features, by how probable that makes the labels: no inner folds needed.

Model
    y = x beta + noise,  beta of block k ~ N(0, scale_k),  noise ~ N(0, sigma2),  y = 1 or -1. The scales and sigma2
    that maximise the probability of y (MacKay's evidence) come from a few inverses of the d x d Gram matrix, whatever
    the number of rows: with S the posterior covariance of beta and gamma_k = d_k - tr(S_kk) / scale_k,

        scale_k = |beta_k|^2 / gamma_k,      sigma2 = |y - x beta|^2 / (n - sum of gamma)

    A block that says nothing of the labels goes to zero by itself; with more label noise all of them shrink. Squared
    loss on signs is no likelihood of signs, but its scales serve the logistic heads: near zero the logistic loss is
    (x beta - 2 y)^2 / 8, so a head on x * sqrt(scale) has the penalty sigma2 / 4.

Paper
    D. MacKay 1992, Bayesian interpolation; M. Tipping 2001, Sparse Bayesian learning (one scale per column; here one
    per block).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.engine.heads.bradley_terry import Floats

ROUNDS = 30
TOLERANCE = 0.02
SMALLEST = 1e-8


@dataclass(frozen=True)
class Scales:
    """`column` [d]: what to multiply each feature by; `l2`: the logistic penalty that then fits; `per_block`: the prior
    variance of each block; `noise`: variance of the signs that the features do not explain, 0..1."""

    column: Floats
    l2: float
    per_block: list[float]
    noise: float


def block_scales(x: Floats, y: Floats, blocks: Sequence[slice], *, check: Callable[[], None] = lambda: None) -> Scales:
    """x [n, d] in `blocks` of columns that follow each other, y [n] in {-1, 1}."""
    n, d = x.shape
    gram, right = x.T @ x, x.T @ y
    sizes = [block.stop - block.start for block in blocks]
    square = float(y @ y)
    # Each block begins with an equal share of a tenth of the variance.
    power = np.array([max(float(np.trace(gram[b, b])) / n, SMALLEST) for b in blocks])
    scale, noise = 0.1 / len(blocks) / power, 0.9
    for _ in range(ROUNDS):
        check()
        column = np.repeat(np.sqrt(scale), sizes)
        # With beta = column * u the prior of u is the identity, so no block that vanishes divides by zero.
        inverse = np.linalg.inv(gram * column[:, None] * column / noise + np.eye(d))
        u = inverse @ (right * column) / noise
        beta = u * column
        kept = np.diag(inverse)
        gamma = np.array([max(size - kept[b].sum(), SMALLEST) for b, size in zip(blocks, sizes, strict=True)])
        found = np.array([float(beta[b] @ beta[b]) for b in blocks]) / gamma
        rest = square - 2 * float(beta @ right) + float(beta @ gram @ beta)
        noise = float(np.clip(rest / max(n - gamma.sum(), 1.0), 0.05, 1.0))
        last, scale = scale, np.maximum(found, SMALLEST / power)
        if np.abs(np.log(scale / last) * (scale * power > 1e-5)).max() < TOLERANCE:
            break
    return Scales(np.repeat(np.sqrt(scale), sizes), noise / 4, [float(value) for value in scale], noise)
