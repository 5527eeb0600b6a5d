"""The consensus methods as a campaign has them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from annotation.campaigns.consensus_method import FITTED, METHODS
from annotation.campaigns.freshness import kept
from annotation.consensus.fitted import NewestFit, fit_under_way, newest_fit
from annotation.models import Campaign, Consensus
from ledger.models import Run


@dataclass(frozen=True)
class Method:
    name: str
    words: str
    is_fitted: bool
    is_in_force: bool
    # How many it speaks of.
    comparisons: int
    # The fit under way, else the last one that was done.
    run: Run | None
    # Votes since that fit.
    newer_votes: int

    @property
    def is_running(self) -> bool:
        return self.run is not None and self.run.finished_at is None


def methods_of(campaign: Campaign) -> list[Method]:
    counts = kept(f"{campaign.pk}:methods", campaign.task_count, lambda: _counts(campaign))
    return [_method(campaign, name, words, counts.get(name, 0)) for name, words in METHODS.items()]


def _method(campaign: Campaign, name: str, words: str, comparisons: int) -> Method:
    running = fit_under_way(campaign, name) if name in FITTED else None
    done = _newest_fit(campaign, name) if name in FITTED else None
    return Method(
        name=name,
        words=words,
        is_fitted=name in FITTED,
        is_in_force=name == campaign.consensus_method,
        comparisons=comparisons,
        run=running or (done.run if done else None),
        newer_votes=done.newer_votes if done else 0,
    )


def _newest_fit(campaign: Campaign, name: str) -> NewestFit | None:
    return kept(f"{campaign.pk}:{name}:fit", campaign.task_count, lambda: newest_fit(campaign, name))


def _counts(campaign: Campaign) -> dict[str, int]:
    found = Consensus.objects.filter(campaign=campaign).order_by().values_list("method").annotate(n=Count("id"))
    return dict(found)
