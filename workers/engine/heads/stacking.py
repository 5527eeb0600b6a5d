"""How far each block of columns is trusted, learned from the training labels and never below what helps.

Model
    y = x beta + noise,   beta of block k ~ N(0, v_k),   y = 1 or -1
    Each design is a vector of relative weights (all blocks as they are trusted beforehand, one of them 30 times as
    much, one of them an eighth) with a penalty from GRID. Its evidence, the probability of y once beta and the size
    of the noise are worked out, needs the d x d Gram matrix alone and no inner folds:

        log evidence = -n/2 log (y'y - sum q^2 / (w + penalty)) - 1/2 sum log (1 + w / penalty)

    with w the eigenvalues of the weighed Gram matrix and q what x'y is along its axes. Designs are mixed, not chosen:
    v_k is the geometric mean over them with weights evidence ** TEMPER. So a block gets little where another explains
    the labels, never less than nothing, and no single guess decides where two labels in five are wrong and hardly any
    evidence is left. TEMPER is below 1 since labels of one prompt are not independent, and signs are no Gaussian
    numbers.

    The logistic heads near zero are the same regression ((x beta - 2 y)^2 / 8), so on x * sqrt(v) their penalty is 1/4.

Paper
    D. MacKay 1992, Bayesian interpolation; mixing instead of choosing: J. Hoeting et al. 1999, Bayesian model
    averaging; weights of a stack that cannot be negative: L. Breiman 1996, Stacked regressions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.engine.heads.rows import Floats

GRID = np.geomspace(3.0, 10_000.0, 15)
LEANS = (30.0, 1 / 8)
TEMPER = 0.5
L2 = 0.25


@dataclass(frozen=True)
class Stack:
    """`column` [d]: what to multiply each feature by, for heads with the penalty L2; `variance` [blocks]: v_k, which is
    the part of block k in the variance that is expected of a margin, if its mean square norm is one."""

    column: Floats
    variance: Floats


def designs(trust: Floats) -> Floats:
    """[1 + 2 blocks, blocks], each with sum 1: as trusted, then each block more or less by itself."""
    one = np.eye(len(trust)) > 0
    found = trust * np.vstack([np.ones((1, len(trust))), *(np.where(one, lean, 1.0) for lean in LEANS)])
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def stack(
    gram: Floats, right: Floats, n: int, blocks: Sequence[slice], trust: Floats,
    *, check: Callable[[], None] = lambda: None,
) -> Stack:  # fmt: skip
    """`gram` = x'x, `right` = x'y of n rows with y in {-1, 1}; `trust` [blocks] as in `table`."""
    tried = designs(trust)
    sizes = [block.stop - block.start for block in blocks]
    evidence = []
    for weights in tried:
        check()
        evidence.append(_evidence(gram, right, n, np.repeat(np.sqrt(weights), sizes)))
    mixed = np.exp(TEMPER * (np.array(evidence) - np.max(evidence)))
    mixed /= mixed.sum()
    log_variance = np.log(tried)[:, None, :] - np.log(GRID)[None, :, None]
    variance = np.exp(np.tensordot(mixed, log_variance, 2))
    return Stack(np.repeat(np.sqrt(variance), sizes), np.asarray(variance))


def _evidence(gram: Floats, right: Floats, n: int, scale: Floats) -> Floats:
    """Log evidence per penalty of GRID, up to a constant, with the variance of the noise at its best."""
    values, axes = np.linalg.eigh(gram * scale[:, None] * scale)
    values = np.maximum(values, 0.0)
    along = (axes.T @ (right * scale)) ** 2
    unexplained = n - np.sum(along / (values + GRID[:, None]), axis=1)
    return np.asarray(-0.5 * (n * np.log(np.maximum(unexplained, 1e-9)) + np.log1p(values / GRID[:, None]).sum(axis=1)))
