"""95 % intervals for many annotators at once."""

from __future__ import annotations

import numpy as np

from workers.engine.aggregation.fits import Reliability
from workers.engine.aggregation.votes import Floats, Ints

Z = 1.959963984540054


def share_reliability(share: Floats, n: Ints, n_equivalent: Floats) -> Reliability:
    """Wilson's interval of a share that is known as well as if `n_equivalent` outcomes had been seen."""
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.maximum(n_equivalent, 1e-9)
        centre = share + Z * Z / (2 * m)
        reach = Z * np.sqrt(np.maximum(share * (1 - share), 0.0) / m + Z * Z / (4 * m * m))
        low, high = (centre - reach) / (1 + Z * Z / m), (centre + reach) / (1 + Z * Z / m)
    return _where_voted(share, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0), n)


def normal_reliability(
    value: Floats, information: Floats, n: Ints, *, least: float = -np.inf, most: float = np.inf
) -> Reliability:
    """Value +- 1.96 standard errors, cut where no value can be; `information` is - d2 log p / d value2."""
    reach = Z / np.sqrt(np.maximum(information, 1e-12))
    return _where_voted(value, np.maximum(value - reach, least), np.minimum(value + reach, most), n)


def _where_voted(value: Floats, low: Floats, high: Floats, n: Ints) -> Reliability:
    nothing = n == 0
    value, low, high = (np.where(nothing, np.nan, numbers) for numbers in (value, low, high))
    return Reliability(value, low, high, n)
