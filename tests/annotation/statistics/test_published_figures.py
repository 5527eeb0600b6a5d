"""The figures that are known of the published votes."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.statistics.alpha import krippendorff_alpha
from annotation.statistics.cohen import cohen_kappa, cohen_kappas
from annotation.statistics.fleiss import fleiss_kappa
from annotation.statistics.patterns import patterns_of
from tests.annotation.statistics.conftest import needs_data, pandalm_rows, ukp_pairs

pytestmark = needs_data


def test_pandalm_has_the_published_alpha() -> None:
    patterns = patterns_of(pandalm_rows())
    estimate = krippendorff_alpha(patterns, "nominal")
    assert estimate.value == pytest.approx(0.864, abs=5e-4)
    assert estimate.n_items == 999
    assert estimate.low is not None and 0.83 < estimate.low < 0.864
    # Of three answers each, the two differ by chance's correction for a small sample only.
    assert fleiss_kappa(patterns).value == pytest.approx(0.864, abs=1e-3)


def test_pandalm_has_the_published_cohen_kappas() -> None:
    first, second, third = np.array(pandalm_rows(), dtype=float).T
    kappas = [cohen_kappa(list(x), list(y)).value for x, y in ((first, second), (first, third), (second, third))]
    assert kappas == pytest.approx([0.852, 0.879, 0.862], abs=5e-4)
    items, people = np.tile(np.arange(999), 3), np.repeat([1, 2, 3], 999)
    together = cohen_kappas(items, people, np.concatenate([first, second, third]))
    assert together.mean.value == pytest.approx(0.864, abs=1e-3)
    assert [(pair.first, pair.second) for pair in together.pairs] == [(1, 2), (1, 3), (2, 3)]


def test_ukpconvarg1_has_the_known_figures() -> None:
    pairs = ukp_pairs()
    items = [[vote["value"] for vote in pair["mTurkAssignments"]] for pair in pairs]
    assert (len(items), sum(map(len, items))) == (11_394, 56_830)
    estimate = krippendorff_alpha(patterns_of(items), "nominal")
    assert estimate.value == pytest.approx(0.2668, abs=5e-5)
    assert np.mean([len(set(item)) == 1 for item in items]) == pytest.approx(0.195, abs=5e-4)


def test_the_majority_of_ukpconvarg1_meets_the_origins_gold() -> None:
    """Where several answers lead, each shares the item."""
    shares = []
    for pair in ukp_pairs():
        if pair["goldLabel"] is None:
            continue
        votes = [vote["value"] for vote in pair["mTurkAssignments"]]
        most = max(votes.count(value) for value in votes)
        leaders = {value for value in votes if votes.count(value) == most}
        shares.append((pair["goldLabel"] in leaders) / len(leaders))
    assert len(shares) == 10_801
    assert np.mean(shares) == pytest.approx(0.891, abs=5e-4)
