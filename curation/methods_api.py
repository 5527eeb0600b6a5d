"""Methods over the API: what the workers offer, and starting one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from curation.access import curated_project
from curation.runs import start_method
from ledger import catalogue
from ledger.api import RunOut, run_out

router = Router(tags=["methods"])


class MethodOut(Schema):
    method: str
    label: str
    documentation: str
    # JSON schema.
    parameters: dict[str, Any]
    queue: str
    shape: str
    needs: list[str]
    yields: list[str]
    devices: list[str]
    code_version: str
    published_at: datetime
    alive: bool
    # The live workers that can run it.
    workers: list[str]


class MethodList(Schema):
    items: list[MethodOut]
    next: str | None = None


class RunIn(Schema):
    method: str
    params: dict[str, Any] = Field(default_factory=dict)


@router.get("/methods", response=MethodList)
def list_methods(request: HttpRequest) -> MethodList:
    return MethodList(items=[_method_out(entry) for entry in catalogue.catalogue()])


@router.post("/projects/{slug}/runs", response={202: RunOut})
def post_run(request: HttpRequest, slug: str, payload: RunIn) -> Status[RunOut]:
    project = curated_project(request, slug)
    caller = caller_of(request)
    run = start_method(project=project, method=payload.method, params=payload.params, requested_by=caller.user)
    return Status(202, run_out(run))


def _method_out(entry: catalogue.Entry) -> MethodOut:
    card = entry.card
    return MethodOut(
        method=card.method,
        label=card.label,
        documentation=card.documentation,
        parameters=card.parameters,
        queue=card.queue,
        shape=card.shape,
        needs=card.needs,
        yields=card.yields,
        devices=card.devices,
        code_version=card.code_version,
        published_at=card.published_at,
        alive=entry.is_alive,
        workers=entry.workers,
    )
