"""From the probabilities of a, tie, b and both bad to a label on the signed scale -3..3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.engine.aggregation.votes import Floats, Ints, summed

A, TIE, B, BOTH_BAD = range(4)
# An answer that is more likely wrong than right is no label.
LEAST_POSTERIOR = 0.5


@dataclass(frozen=True)
class Labels:
    """Arrays [items]; `value` means nothing where `has_value` is False: undecided, or both bad."""

    value: Ints
    has_value: NDArray[np.bool_]
    is_both_bad: NDArray[np.bool_]
    # Posterior of the most probable answer.
    confidence: Floats


def answer_of(choice: Ints, is_both_bad: NDArray[np.bool_]) -> Ints:
    return np.where(is_both_bad, BOTH_BAD, np.sign(choice) + 1)


def labels(posterior: Floats, item: Ints, choice: Ints) -> Labels:
    """The sign is the most probable answer's, the strength that of the votes for it.

    posterior [items, 4]; item and choice (-3..3, 0 also for both bad) [votes].
    """
    leading, confidence = posterior.argmax(axis=1), posterior.max(axis=1)
    is_sure = confidence > LEAST_POSTERIOR
    n = len(posterior)
    value = np.where(leading == A, -strength(item, choice, choice < 0, n), strength(item, choice, choice > 0, n))
    return Labels(
        value=np.where(leading == TIE, 0, value),
        has_value=is_sure & (leading != BOTH_BAD),
        is_both_bad=is_sure & (leading == BOTH_BAD),
        confidence=confidence,
    )


def strength(item: Ints, choice: Ints, chosen: NDArray[np.bool_], n_items: int) -> Ints:
    """[items], 1..3: mean |choice| of the chosen votes, halves away from zero; 1 where there are none."""
    votes = np.bincount(item[chosen], minlength=n_items)
    total = summed(item[chosen], np.abs(choice[chosen]).astype(np.float64), n_items).astype(np.int64)
    return np.where(votes > 0, (2 * total + votes) // np.maximum(2 * votes, 1), 1)
