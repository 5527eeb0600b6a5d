"""A campaign whose work a run has ordered while another finds the next order; and labels that were reviewed."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from annotation.campaigns.prioritise import prioritise_by_run
from annotation.models import Campaign
from corpus.models import Comparison
from curation.models import Signal
from ledger.models import Run, RunKind, State

SHARE = {"share": 0.61, "interval": [0.59, 0.63], "n": 2339}
ARMS = ("accuracy", "self_selected_accuracy", "averaged_accuracy", "single_accuracy", "length_accuracy")


def order_and_review(campaign: Campaign) -> dict[str, Any]:
    rows = list(Comparison.objects.filter(project=campaign.project_id).order_by("-id").values_list("id", flat=True)[:9])
    found = {"n": 433, "ordered": 400, "random": 40, "answered": 31, "settled": 2, "overruled": 1, "mistakes": 7}
    missing = [
        {"source": 1, "name": "S" * 90, "problem": "3 of 12 comparisons have a label or an answer that is no tie"}
    ]
    about = {
        "votes_of": "heads fitted in this run",
        "without_votes": missing,
        "campaign": campaign.pk,
        "reordered": 399,
    }
    ordered = _run(campaign, "next_to_annotate", found | about)
    for row in rows:
        Signal.objects.create(run=ordered, comparison_id=row, value=0.4, fields={"reason": "people are split: 2 to 1"})
    prioritise_by_run(campaign=campaign, run=ordered, ordered=rows)
    Run.objects.create(
        project=campaign.project, kind=RunKind.METHOD, method="next_to_annotate", queue="cpu",
        params={"campaign": campaign.pk},
    )  # fmt: skip
    told = {"name": "one", "n": 433, "labelled": 406, "eta": 0.2, "eta_from": "the blind sample of 90 labels"}
    sources = {
        "1": told | dict.fromkeys(ARMS, SHARE),
        "2": {"name": "S" * 90, "problem": "Too little to learn from."},
    }
    reviewed = _run(campaign, "peer_review", {"sources": sources})
    Signal.objects.create(run=reviewed, comparison_id=rows[0], value=0.0, fields={"keep_frequency": 0.0})
    return {"ordered": ordered, "reviewed": reviewed}


def _run(campaign: Campaign, method: str, result: dict[str, Any]) -> Run:
    now = timezone.now()
    return Run.objects.create(
        project=campaign.project, kind=RunKind.METHOD, method=method, queue="cpu", state=State.DONE, result=result,
        params={}, started_at=now, finished_at=now,
    )  # fmt: skip
