"""Numbers of an ensemble against a plain account of each."""

from __future__ import annotations

import numpy as np
import pytest

from workers.engine.heads.rows import Floats, Ints
from workers.engine.heads.voting import Panel, Voter, accuracy, effective, paper_cuts, shared_errors


def voters(n: int, families: str = "") -> list[Voter]:
    return [Voter(f"v{place}", "head", families[place] if families else "one", "") for place in range(n)]


def panel(margins: Floats, **more: float) -> Panel:
    return Panel(margins, np.zeros(len(margins)), np.zeros(len(margins), np.bool_), **more)


@pytest.fixture
def margins() -> Floats:
    found = np.random.default_rng(1).normal(size=(200, 7))
    found[3, 2] = np.nan
    found[5] = 0.0
    return found


def test_every_number_of_a_row_is_the_plain_one(margins: Floats) -> None:
    said = panel(margins, caution=2.5)
    for row, votes in enumerate(margins):
        votes = votes[~np.isnan(votes)]
        found = said.fields(row)
        assert found["mean"] == pytest.approx(sum(votes) / len(votes))
        variance = sum((vote - votes.mean()) ** 2 for vote in votes) / len(votes)
        assert found["spread"] == pytest.approx(variance**0.5)
        assert found["penalty"] == pytest.approx(2.5 * variance)
        assert (found["lowest_b"], found["lowest_a"]) == (min(votes), -max(votes))
        assert found["share_b"] == pytest.approx(
            sum(1.0 if v > 0 else 0.5 if v == 0 else 0.0 for v in votes) / len(votes)
        )
        assert found["n"] == len(votes)


def test_swapping_the_sides_turns_what_is_signed_and_keeps_the_rest(margins: Floats) -> None:
    one, other = panel(margins), panel(-margins)
    assert np.array_equal(one.mean, -other.mean)
    assert np.array_equal(one.lowest_a, other.lowest_b)
    assert np.array_equal(one.penalty, other.penalty)
    assert np.allclose(one.share_b, 1 - other.share_b)


def test_a_row_without_a_vote_says_nothing() -> None:
    found = panel(np.array([[np.nan, np.nan], [1.0, np.nan]])).fields(0)
    assert {found[name] for name in ("mean", "spread", "lowest_a", "lowest_b", "penalty", "share_b")} == {None}
    assert panel(np.zeros((3, 0))).fields(1)["n"] == 0


def test_no_label_means_no_accuracy() -> None:
    assert accuracy(np.zeros(0)) == {"share": None, "interval": None, "n": 0}
    assert panel(np.ones((4, 2))).summary(np.zeros(4, np.int64))["accuracy"]["share"] is None


@pytest.mark.parametrize("n", [10, 11, 19, 20, 57])
def test_the_cuts_of_the_paper_split_by_rank(n: int) -> None:
    strength = np.random.default_rng(n).permutation(n).astype(float)
    cuts = paper_cuts(strength)
    assert cuts is not None
    for place, value in enumerate(sorted(strength)):
        assert (value < cuts["ambiguous_from"]) == (place / n < 0.2)
        assert (value < cuts["normal_from"]) == (place / n < 0.4)
        assert (value >= cuts["strong_from"]) == (place >= n - n // 10)


def test_few_rows_have_no_percentiles() -> None:
    assert paper_cuts(np.arange(9.0)) is None


def plain_correlation(margins: Floats, sign: Ints) -> tuple[float, int]:
    """Mean Pearson correlation over the pairs of voters that have variance, and how many those are."""
    rows = [row for row in range(len(sign)) if sign[row] and not np.isnan(margins[row]).any()]
    errors = [[0.5 if m == 0 else float(m * sign[row] < 0) for m in margins[row]] for row in rows]
    columns = [column for column in zip(*errors, strict=True) if len(set(column)) > 1]
    pairs = [(a, b) for a in range(len(columns)) for b in range(a)]
    return sum(np.corrcoef(columns[a], columns[b])[0, 1] for a, b in pairs) / len(pairs), len(columns)


def test_shared_errors_are_those_of_a_plain_loop(margins: Floats) -> None:
    rng = np.random.default_rng(4)
    margins = margins + rng.normal(size=(200, 1))
    margins[:, 6] = 1.0
    sign = rng.choice([-1, 0, 1], size=200)
    margins[:, 6] = np.where(sign == 0, 1.0, sign)
    found = shared_errors(margins, sign, np.arange(200), voters(7), seed=0)
    correlation, counted = plain_correlation(margins, sign)
    assert (found["counted"], found["voters"]) == (counted, 7) == (6, 7)
    assert found["correlation"] == pytest.approx(correlation)
    assert found["effective"] == pytest.approx(6 / (1 + 5 * correlation))
    low, high = found["interval"]
    assert low < found["effective"] < high


def test_the_bootstrap_draws_whole_groups_as_a_plain_one_would() -> None:
    rng = np.random.default_rng(0)
    shared, sign = rng.normal(size=(60, 1)), np.ones(60, np.int64)
    margins = np.repeat(0.5 + shared + 0.8 * rng.normal(size=(60, 4)), 5, axis=0)
    sign, groups = np.repeat(sign, 5), np.repeat(np.arange(60), 5)
    found = shared_errors(margins, sign, groups, voters(4), seed=0)
    plain = []
    for _ in range(300):
        rows = np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(0, 60, size=60)])
        plain.append(effective(4, plain_correlation(margins[rows], sign[rows])[0]))
    assert found["interval"] == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=0.12)
    alone = shared_errors(margins, sign, np.arange(300), voters(4), seed=0)
    assert np.ptp(found["interval"]) > 1.5 * np.ptp(alone["interval"])


def test_copies_of_a_voter_count_once_and_independent_ones_count_all() -> None:
    rng = np.random.default_rng(0)
    sign = rng.choice([-1, 1], size=4000)
    one = np.repeat(sign[:, None] * 0.5 + rng.normal(size=(4000, 1)), 5, axis=1)
    apart = sign[:, None] * 0.5 + rng.normal(size=(4000, 5))
    same = shared_errors(one, sign, np.arange(4000), voters(5), seed=0)
    assert same["effective"] == pytest.approx(1.0)
    differ = shared_errors(apart, sign, np.arange(4000), voters(5), seed=0)
    assert differ["effective"] > 4.7
    mixed = shared_errors(np.hstack([one[:, :2], apart[:, :1]]), sign, np.arange(4000), voters(3, "aab"), seed=0)
    assert mixed["between"]["families"] == ["a", "b"]
    (within, across), (back, alone) = mixed["between"]["rows"]
    assert (within, alone) == (pytest.approx(1.0), None)
    assert across == back == pytest.approx(0.0, abs=0.05)


def test_permuting_the_voters_changes_nothing(margins: Floats) -> None:
    sign = np.where(np.arange(200) % 2, 1, -1)
    found = [shared_errors(m, sign, np.arange(200) // 3, voters(7), seed=0) for m in (margins, margins[:, ::-1])]
    assert found[0]["effective"] == pytest.approx(found[1]["effective"])
    assert found[0]["interval"] == pytest.approx(found[1]["interval"])


@pytest.mark.parametrize("margins", [np.ones((30, 3)), np.full((30, 3), np.nan), np.zeros((30, 0)), np.zeros((0, 2))])
def test_voters_that_never_err_leave_nothing_to_say(margins: Floats) -> None:
    found = shared_errors(
        margins, np.ones(len(margins), np.int64), np.arange(len(margins)), voters(margins.shape[1]), seed=0
    )
    assert found["problem"] == "Fewer than two voters err on some labels and not on others."
