"""Off-the-shelf reward models as voters: each score difference in units of its own RMS over the source's comparisons.

A reward model was trained elsewhere and sees no label, so nothing is cross-fitted and the scale uses no label either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.heads.rows import Floats
from workers.engine.heads.voting import Voter
from workers.engine.models.folder import Revision, revision_of
from workers.engine.models.resident import is_resident
from workers.engine.rewards.model import check_usable, reward_folder

if TYPE_CHECKING:
    from workers.engine.bench import Bench
    from workers.engine.rewards.scores import Asked


class Sided(Protocol):
    @property
    def messages(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def a_id(self) -> int: ...
    @property
    def b_id(self) -> int: ...
    @property
    def a(self) -> str: ...
    @property
    def b(self) -> str: ...


@dataclass(frozen=True)
class RewardVotes:
    """`margins` [n, models], NaN where a response has no score; `scores`: (response, name, value) of those that have;
    `told` per model what the run's page says of it beside its accuracy."""

    margins: Floats
    voters: list[Voter]
    scores: list[tuple[int, str, float]]
    told: dict[str, dict[str, Any]]


def named(models: str) -> list[str]:
    """The paths in a parameter, in their order."""
    paths = [path.strip() for path in models.split(",") if path.strip()]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise Unworkable(f"The reward model {twice[0]} is named twice; it would count twice.")
    return paths


def check_all(models: str) -> None:
    for path in named(models):
        check_usable(reward_folder(path))


def revisions(models: str) -> list[Revision]:
    return [revision_of(reward_folder(path)) for path in named(models)]


def asked_of(pairs: Sequence[Sided]) -> list[Asked]:
    """Both responses of every pair, a then b."""
    return [(pair.messages, text) for pair in pairs for text in (pair.a, pair.b)]


def fill_cache(pairs: Sequence[Sided], models: str, bench: Bench) -> None:
    # The one in memory first: the pieces of a run come one after another, and loading a large model takes a while.
    for path in sorted(named(models), key=lambda path: not is_resident(reward_folder(path))):
        bench.reward(asked_of(pairs), model=path)


def reward_votes(pairs: Sequence[Sided], models: str, bench: Bench) -> RewardVotes:
    found = RewardVotes(np.zeros((len(pairs), 0)), [], [], {})
    for path in named(models):
        revision = revision_of(reward_folder(path))
        rewarded = bench.reward(asked_of(pairs), model=path)
        both = rewarded.values.reshape(-1, 2)
        margin = both[:, 1] - both[:, 0]
        said = ~np.isnan(margin)
        rms = float(np.sqrt(np.mean(margin[said] ** 2))) if said.any() else 0.0
        cut = float(rewarded.truncated.mean()) if len(pairs) else 0.0
        told: dict[str, Any] = {"unscored": int((~said).sum()), "truncated_share": cut}
        if rms > 1e-9:
            margin = margin / rms
        else:
            told["problem"] = _silent(revision, len(pairs), has_scores=bool(said.any()))
            margin = np.full(len(pairs), np.nan)
        found = RewardVotes(
            np.hstack([found.margins, margin[:, None]]),
            [*found.voters, Voter(revision.score_name, "reward model", revision.score_name, revision.weights)],
            [*found.scores, *_scores(pairs, both, revision)],
            found.told | {revision.score_name: told},
        )
    return found


def _silent(revision: Revision, n: int, *, has_scores: bool) -> str:
    if has_scores:
        return f"{revision.name} gives both responses the same score in all of the {n:,} comparisons: it has no vote."
    return f"{revision.name} gave no finite score in any of the {n:,} comparisons of this source: it has no vote."


def _scores(pairs: Sequence[Sided], both: Floats, revision: Revision) -> list[tuple[int, str, float]]:
    ids = ((pair.a_id, pair.b_id) for pair in pairs)
    found = {
        response: float(value)
        for sides, values in zip(ids, both, strict=True)
        for response, value in zip(sides, values, strict=True)
        if np.isfinite(value)
    }
    return [(response, revision.score_name, value) for response, value in sorted(found.items())]
