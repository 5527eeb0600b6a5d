"""The list of model servers over the API: curators read it, owners change it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from curation.access import model_server_for, owned_project, readable_project
from curation.model_servers.change import add_server, remove_server
from curation.model_servers.queries import servers_of
from curation.models import ModelServer

router = Router(tags=["model servers"])


class ModelServerIn(Schema):
    url: str = Field(max_length=300)
    tokenizer: str = Field("", max_length=100)
    note: str = Field("", max_length=500)


class ModelServerOut(Schema):
    """`tokenizer` is the folder in WINNOW_HOME/models that stands in for a server's own /tokenize."""

    id: int
    url: str
    tokenizer: str
    note: str
    added_by: str | None
    added_at: datetime


@router.get("/projects/{slug}/model-servers", response=list[ModelServerOut])
def list_model_servers(request: HttpRequest, slug: str) -> list[ModelServerOut]:
    return [_out(server) for server in servers_of(readable_project(request, slug))]


@router.post("/projects/{slug}/model-servers", response={201: ModelServerOut})
def post_model_server(request: HttpRequest, slug: str, payload: ModelServerIn) -> Status[ModelServerOut]:
    """From now on methods of this project may send texts there."""
    project = owned_project(request, slug)
    return Status(201, _out(add_server(project=project, by=caller_of(request).user, **payload.dict())))


@router.post("/model-servers/{server_id}/remove", response={204: None})
def post_model_server_remove(request: HttpRequest, server_id: int) -> Status[None]:
    """Nothing is sent there any more; a run that uses it ends at its next piece."""
    caller = caller_of(request)
    remove_server(server=model_server_for(caller, server_id), by=caller.user)
    return Status(204, None)


def _out(server: ModelServer) -> ModelServerOut:
    return ModelServerOut(
        id=server.pk,
        url=server.url,
        tokenizer=server.tokenizer,
        note=server.note,
        added_by=server.added_by.email if server.added_by else None,
        added_at=server.added_at,
    )
