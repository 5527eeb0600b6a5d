"""What models say of comparisons whose label they did not see: the newest votes, or those of heads fitted here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.heads.crossfit import cross_fit_blocks
from workers.engine.heads.features import HasTexts, differences
from workers.engine.heads.groups import Prompted, prompt_groups
from workers.engine.people.worth import calibrated

if TYPE_CHECKING:
    from workers.engine.bench import Bench

MIN_LABELS = 20
COSTLY = ("meaning by turn",)


class Placed(HasTexts, Prompted, Protocol):
    @property
    def id(self) -> int: ...
    @property
    def source(self) -> int: ...


class Settings(Protocol):
    @property
    def votes(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def heads(self) -> int: ...
    @property
    def folds(self) -> int: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Opinions:
    """`p_b` [n]: P(b better), NaN where no model spoke; `result`: whose votes these are, and what is missing."""

    p_b: Floats
    result: dict[str, Any]


def opinions(pairs: Sequence[Placed], sign: Ints, settings: Settings, bench: Bench) -> Opinions:
    """`pairs` by id, `sign` [n] what is held true of them; every source by itself."""
    told = bench.signals("model_vote") if settings.votes != "own" else None
    takes_run = told is not None and (settings.votes == "run" or not told.is_older)
    mean, spread = np.full(len(pairs), np.nan), np.zeros(len(pairs))
    missing = []
    source = np.array([pair.source for pair in pairs], dtype=np.int64)
    for number in np.unique(source):
        rows = np.flatnonzero(source == number)
        if takes_run and told is not None:
            fields = [told.fields.get(pairs[int(row)].id, {}) for row in rows]
            mean[rows] = [_number(field.get("mean"), np.nan) for field in fields]
            spread[rows] = [_number(field.get("spread"), 0.0) for field in fields]
            problem = "" if np.isfinite(mean[rows]).any() else "the run of model_vote says nothing of it"
        else:
            mean[rows], spread[rows], problem = _own(pairs, rows, sign, settings, bench)
        if problem:
            name = bench.sources.get(int(number), str(number))
            missing.append({"source": int(number), "name": name, "problem": problem})
    p_b = np.full(len(pairs), np.nan)
    for number in np.unique(source):
        rows = np.flatnonzero((source == number) & np.isfinite(mean))
        p_b[rows] = calibrated(mean[rows], spread[rows], sign[rows])
    whose = f"run {told.run_id} of model_vote" if takes_run and told is not None else "heads fitted in this run"
    return Opinions(p_b, {"votes_of": whose, "without_votes": missing})


def _own(
    pairs: Sequence[Placed], rows: Ints, sign: Ints, settings: Settings, bench: Bench
) -> tuple[Floats, Floats, str]:
    some = [pairs[int(row)] for row in rows]
    _, groups = prompt_groups(some)
    labelled = int((sign[rows] != 0).sum())
    n_groups = len(np.unique(groups[sign[rows] != 0]))
    if labelled < MIN_LABELS or n_groups < 2 * settings.folds:
        problem = (
            f"{labelled} of {len(rows)} comparisons have a label or an answer that is no tie, in {n_groups} groups; "
            f"{MIN_LABELS} in {2 * settings.folds} are needed for heads of its own"
        )
        return np.full(len(rows), np.nan), np.zeros(len(rows)), problem
    x, blocks = _cheap_columns(*differences(some, bench, model=settings.model).in_blocks())
    margins, _ = cross_fit_blocks(
        x, blocks, sign[rows], groups, heads=settings.heads, folds=settings.folds, seed=settings.seed,
        check=bench.check_cancelled,
    )  # fmt: skip
    heads = np.maximum((~np.isnan(margins)).sum(axis=1), 1)
    mean = np.nansum(margins, axis=1) / heads
    apart = np.where(np.isnan(margins), 0.0, margins - mean[:, None])
    return mean, np.sqrt((apart**2).sum(axis=1) / heads), ""


def _cheap_columns(x: Floats, blocks: Sequence[slice], names: Sequence[str]) -> tuple[Floats, list[slice]]:
    """Without the products with the turn, which double the columns and so take eight times as long."""
    kept = [block for block, name in zip(blocks, names, strict=True) if name not in COSTLY]
    ends = np.cumsum([block.stop - block.start for block in kept])
    starts = np.concatenate([[0], ends[:-1]])
    return np.hstack([x[:, block] for block in kept]), [
        slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)
    ]


def _number(value: Any, otherwise: float) -> float:
    return otherwise if value is None else float(value)
