"""What the margins of several voters say together: numbers per comparison, accuracy over all, and shared mistakes.

Voters that make the same mistakes are one voter. With r the mean correlation of their errors over labelled rows,
between 0 and 1, M voters are worth M / (1 + (M - 1) r) that err independently. The correlation of one voter's errors
with another's is Pearson's; an error is 1 where the sign of the margin is not the label's, one half for no margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import wilson
from workers.engine.heads.rows import Floats, Ints

DRAWS = 400
# Numbers held at once by the bootstrap.
AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Voter:
    """One column of margins. `family`: what voters of one make share; `sha256` of the weights it speaks from."""

    name: str
    kind: str
    family: str
    sha256: str


class Panel:
    """The margins of the voters [n, voters], positive = response b better, NaN where a voter said nothing.

    `caution` is the lambda of mean - lambda * variance, with the population variance of the votes.
    """

    def __init__(self, margins: Floats, length: Floats, truncated: NDArray[np.bool_], *, caution: float = 1.0) -> None:
        self.margins = margins
        self.n = (~np.isnan(margins)).sum(axis=1)
        voters = np.maximum(self.n, 1)
        votes = np.nan_to_num(margins)
        self.mean = votes.sum(axis=1) / voters
        apart = np.where(np.isnan(margins), 0.0, votes - self.mean[:, None])
        self.spread = np.sqrt((apart**2).sum(axis=1) / voters)
        preferred = (margins > 0).sum(axis=1) + 0.5 * (margins == 0).sum(axis=1)
        self.share_b = np.where(self.n > 0, preferred / voters, 0.5)
        self.lowest_b = np.where(np.isnan(margins), np.inf, margins).min(axis=1, initial=np.inf)
        self.lowest_a = np.where(np.isnan(margins), np.inf, -margins).min(axis=1, initial=np.inf)
        self.penalty = caution * self.spread**2
        self.length = length
        self.truncated = truncated

    def fields(self, index: int) -> dict[str, Any]:
        if not self.n[index]:
            return nobody_voted() | {"truncated": bool(self.truncated[index])}
        return {
            "mean": float(self.mean[index]),
            "spread": float(self.spread[index]),
            "share_b": float(self.share_b[index]),
            "n": int(self.n[index]),
            "lowest_a": float(self.lowest_a[index]),
            "lowest_b": float(self.lowest_b[index]),
            "penalty": float(self.penalty[index]),
            "length_mean": None if np.isnan(self.length[index]) else float(self.length[index]),
            "truncated": bool(self.truncated[index]),
        }

    def summary(self, sign: Ints) -> dict[str, Any]:
        has_votes = self.n > 0
        rms = float(np.sqrt(np.mean(self.mean**2)))
        unanimous = has_votes & ((self.share_b == 0) | (self.share_b == 1))
        cut = float(np.quantile(np.abs(self.mean[unanimous]), 0.9)) if unanimous.any() else None
        labelled = (sign != 0) & has_votes
        strength = (sign * self.mean)[labelled]
        counts, edges = np.histogram(np.clip(strength, -4, 4), bins=32, range=(-4.0, 4.0))
        return {
            "n": len(sign),
            "labelled": int((sign != 0).sum()),
            "accuracy": accuracy(strength),
            "length_accuracy": accuracy((sign * self.length)[labelled]),
            "below_zero": float(np.mean(strength < 0)) if len(strength) else None,
            "rms_margin": rms,
            "strong_cut": cut,
            "paper_cuts": paper_cuts(strength),
            "truncated_share": float(np.mean(self.truncated)),
            "histogram": {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]},
        }


def nobody_voted() -> dict[str, Any]:
    """The fields of a comparison without a vote."""
    numbers = ("mean", "spread", "share_b", "lowest_a", "lowest_b", "penalty", "length_mean")
    return {**dict.fromkeys(numbers), "n": 0, "truncated": False}


def accuracy(strength: Floats) -> dict[str, Any]:
    """Share of labels that the sign of the margin matches (a zero counts one half), with its 95 % Wilson interval."""
    strength = strength[~np.isnan(strength)]
    if not len(strength):
        return {"share": None, "interval": None, "n": 0}
    right = float((strength > 0).sum() + 0.5 * (strength == 0).sum())
    return {"share": right / len(strength), "interval": wilson(right, len(strength)), "n": len(strength)}


def paper_cuts(strength: Floats) -> dict[str, float] | None:
    """Where the bands of the paper begin, by rank of strength: the lowest fifth is `incorrect`, the next `ambiguous`,
    the top tenth `strong`, the rest `normal`. Rows of equal strength share a band. None under ten rows."""
    n = len(strength)
    if n < 10:
        return None
    ranked = np.sort(strength)
    places = {"ambiguous_from": -(-n // 5), "normal_from": -(-2 * n // 5), "strong_from": n - n // 10}
    return {name: float(ranked[place]) for name, place in places.items()}


def accuracy_of_each(margins: Floats, sign: Ints, voters: Sequence[Voter]) -> list[dict[str, Any]]:
    labelled = sign != 0
    return [
        {"name": voter.name, "kind": voter.kind, "family": voter.family, "sha256": voter.sha256}
        | {"accuracy": accuracy((sign * margins[:, place])[labelled])}
        for place, voter in enumerate(voters)
    ]


def accuracy_of_families(margins: Floats, sign: Ints, voters: Sequence[Voter]) -> list[dict[str, Any]]:
    """Of the mean margin of the voters of one make."""
    labelled = sign != 0
    found = []
    for family in dict.fromkeys(voter.family for voter in voters):
        places = [place for place, voter in enumerate(voters) if voter.family == family]
        spoke = ~np.isnan(margins[:, places])
        with np.errstate(invalid="ignore"):
            mean = np.nan_to_num(margins[:, places]).sum(axis=1) / np.where(
                spoke.any(axis=1), spoke.sum(axis=1), np.nan
            )
        told = voters[places[0]]
        found.append(
            {"family": family, "kind": told.kind, "voters": len(places), "sha256": told.sha256}
            | {"accuracy": accuracy((sign * mean)[labelled])}
        )
    return found


def shared_errors(
    margins: Floats,
    sign: Ints,
    groups: Ints,
    voters: Sequence[Voter],
    *,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Mean correlation of errors and the effective number of voters, with a 95 % interval that draws whole groups.

    Over labelled rows on which every voter spoke; voters that never, or always, err are left out.
    """
    spoke = ~np.isnan(margins).all(axis=0)
    rows = (sign != 0) & ~np.isnan(margins[:, spoke]).any(axis=1)
    toward = sign[rows, None] * margins[rows][:, spoke]
    errors = (toward < 0) + 0.5 * (toward == 0)
    varies = np.ptp(errors, axis=0) > 0 if len(errors) else np.zeros(errors.shape[1], np.bool_)
    counted = [voters[place] for place in np.flatnonzero(spoke)[varies]]
    found = {"voters": len(voters), "counted": len(counted), "n": int(rows.sum())}
    if len(counted) < 2:
        return found | {"problem": "Fewer than two voters err on some labels and not on others."}
    errors = errors[:, varies]
    correlation = np.corrcoef(errors, rowvar=False)
    mean = float((correlation.sum() - len(counted)) / (len(counted) * (len(counted) - 1)))
    drawn = _effective_drawn(errors, groups[rows], seed, check)
    return found | {
        "groups": len(np.unique(groups[rows])),
        "correlation": mean,
        "effective": float(effective(len(counted), mean)),
        "interval": [float(end) for end in np.quantile(drawn, [0.025, 0.975])],
        "between": _between_families(correlation, counted),
    }


def effective(voters: Any, correlation: Any) -> Any:
    return voters / (1 + (voters - 1) * np.clip(correlation, 0.0, 1.0))


def _effective_drawn(errors: Floats, groups: Ints, seed: int, check: Callable[[], None]) -> Floats:
    """The effective number in each bootstrap draw. The mean correlation is read off the variance of the sum of the
    standardised errors, so that a draw costs voters times rows, not voters squared."""
    names, inverse = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng([seed, len(errors)])
    size = max(1, min(DRAWS, AT_ONCE // len(errors)))
    found = []
    for start in range(0, DRAWS, size):
        check()
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=min(size, DRAWS - start))
        weight = times[:, inverse].astype(np.float64)
        total = weight.sum(axis=1, keepdims=True)
        mean = weight @ errors / total
        deviation = np.sqrt(np.maximum(weight @ errors**2 / total - mean**2, 0.0))
        scale = np.where(deviation > 1e-9, 1 / np.maximum(deviation, 1e-9), 0.0)
        voters = np.maximum((scale > 0).sum(axis=1), 1)
        summed = scale @ errors.T
        variance = (weight * summed**2).sum(axis=1) / total[:, 0] - (scale * mean).sum(axis=1) ** 2
        found.append(effective(voters, (variance - voters) / np.maximum(voters * (voters - 1), 1)))
    return np.concatenate(found)


def _between_families(correlation: Floats, voters: Sequence[Voter]) -> dict[str, Any]:
    """Mean error correlation of the voters of one family with those of another; None within a family of one."""
    families = list(dict.fromkeys(voter.family for voter in voters))
    member = np.array([[voter.family == family for voter in voters] for family in families], dtype=np.float64)
    sums = member @ (correlation - np.eye(len(voters))) @ member.T
    sizes = member.sum(axis=1)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    rows = [
        [float(total / n) if n else None for total, n in zip(*both, strict=True)]
        for both in zip(sums, pairs, strict=True)
    ]
    return {"families": families, "sizes": [int(size) for size in sizes], "rows": rows}
