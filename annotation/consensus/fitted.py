"""Consensus that a worker fits to all votes of a campaign: asking for a fit, and reading what came of it.

The web process computes nothing here: a fit is a run of the method `consensus`, which replaces the rows of its model.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, QuerySet

from accounts.models import User
from accounts.problems import Invalid
from annotation.campaigns.consensus_method import FITTED
from annotation.models import AnnotatorReliability, Campaign, Judgment, Unit
from ledger import catalogue
from ledger.models import FINISHED_STATES, Run, RunKind, State
from ledger.runs import request_run

METHOD = "consensus"


class UnknownModel(Invalid):
    code = "unknown_consensus_model"


class NobodyFits(Invalid):
    code = "unknown_method"


class NothingToFit(Invalid):
    code = "no_votes"


@dataclass(frozen=True)
class NewestFit:
    """The last fit that was done, and what it has not seen."""

    run: Run
    # Votes that came in, or replaced others, since it was asked for.
    newer_votes: int


def request_consensus(*, campaign: Campaign, model: str, requested_by: User | None, seed: int = 0) -> Run:
    """A queued run; the one that is under way already, if the same is asked for twice."""
    if model not in FITTED:
        raise UnknownModel("There is no such model.", {"model": f"must be one of: {', '.join(FITTED)}"})
    card = catalogue.entry(METHOD)
    if card is None:
        raise NobodyFits("No worker has published the consensus yet; start a worker first.")
    if not _votes(campaign).exists():
        raise NothingToFit(f"Nobody has judged anything in {campaign.name} yet; there is nothing to fit.")
    params = {"campaign": campaign.pk, "model": model, "seed": seed}
    under_way = _runs(campaign, model).filter(params=params, started_at=None).exclude(state__in=FINISHED_STATES)
    return under_way.order_by("-id").first() or request_run(
        project=campaign.project,
        kind=RunKind.CONSENSUS,
        method=METHOD,
        queue=card.card.queue,
        params=params,
        requested_by=requested_by,
    )


def newest_fit(campaign: Campaign, model: str) -> NewestFit | None:
    """None where the model was never fitted here."""
    run = _runs(campaign, model).filter(state=State.DONE).order_by("-id").first()
    if run is None:
        return None
    newer = _votes(campaign).filter(created_at__gt=run.started_at or run.created_at).count()
    return NewestFit(run, max(newer, _imported_since(campaign, run)))


def _imported_since(campaign: Campaign, run: Run) -> int:
    """Votes of a file bear the times at which they were given, which may be long before the fit.

    A ranking is several votes to the fit; its campaigns take no imports.
    """
    if campaign.unit != Unit.COMPARISON or "votes" not in run.result:
        return 0
    compared = _votes(campaign).exclude(choice__isnull=True, is_both_bad=False)
    return compared.count() - int(run.result["votes"])


def fit_under_way(campaign: Campaign, model: str) -> Run | None:
    return _runs(campaign, model).exclude(state__in=FINISHED_STATES).order_by("-id").first()


def reliabilities(campaign: Campaign, model: str) -> QuerySet[AnnotatorReliability]:
    """Of each annotator, the least reliable first; those of whom nothing can be said last."""
    held = AnnotatorReliability.objects.filter(campaign=campaign, method=model).select_related("annotator")
    return held.order_by(F("value").asc(nulls_last=True), "annotator_id")


def _runs(campaign: Campaign, model: str) -> QuerySet[Run]:
    """Also those that were started from the page of methods."""
    numbers = [campaign.pk]
    if not Campaign.objects.filter(project=campaign.project_id, pk__lt=campaign.pk).exists():
        # 0 takes the only campaign of a project, which can only have been its first.
        numbers.append(0)
    return Run.objects.filter(
        project=campaign.project_id, method=METHOD, params__model=model, params__campaign__in=numbers
    )


def _votes(campaign: Campaign) -> QuerySet[Judgment]:
    return Judgment.objects.counting().filter(campaign=campaign)
