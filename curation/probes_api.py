"""Probes over the API: which methods may label, and an owner's word for one whose probes failed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status

from accounts.access import caller_of
from curation.access import owned_project, readable_project, run_of
from curation.audits.override import override_probes, withdraw_override
from curation.audits.probe_figures import probed_runs
from curation.audits.probed import probed

router = Router(tags=["probes"])


class OverrideIn(Schema):
    """Why rules may label by this run although its probes failed; cards repeat it."""

    note: str


class ProbedOut(Schema):
    """`may_label`: the probes passed, or an owner answers for the run."""

    method: str
    run: int
    passed: bool
    may_label: bool
    reasons: list[str]
    override: dict[str, Any] | None
    models: dict[str, Any]


class ProbedRunOut(ProbedOut):
    # By name of the source: each probe with its figure, n and interval.
    sources: dict[str, list[dict[str, Any]]]


@router.get("/projects/{slug}/probes", response=list[ProbedRunOut])
def list_probes(request: HttpRequest, slug: str) -> list[ProbedRunOut]:
    """Of the newest run of every method that may label."""
    project = readable_project(request, slug)
    return [
        ProbedRunOut(
            **one.probed.as_document(),
            may_label=one.probed.is_open,
            sources=dict(one.sources),
        )
        for one in probed_runs(project)
    ]


@router.post("/projects/{slug}/runs/{run_id}/probe-override", response={201: ProbedOut})
def post_override(request: HttpRequest, slug: str, run_id: int, payload: OverrideIn) -> Status[ProbedOut]:
    """For owners: let rules label by this run all the same."""
    run = run_of(owned_project(request, slug), run_id)
    override_probes(run=run, note=payload.note, by=caller_of(request).user)
    found = probed(run)
    return Status(201, ProbedOut(**found.as_document(), may_label=found.is_open))


@router.delete("/projects/{slug}/runs/{run_id}/probe-override", response=ProbedOut)
def delete_override(request: HttpRequest, slug: str, run_id: int) -> ProbedOut:
    """For owners: take that back; what is frozen stays."""
    run = run_of(owned_project(request, slug), run_id)
    withdraw_override(run=run, by=caller_of(request).user)
    found = probed(run)
    return ProbedOut(**found.as_document(), may_label=found.is_open)
