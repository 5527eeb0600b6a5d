"""Votes from elsewhere in, raw votes out."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Router, Status

from accounts.access import caller_of
from accounts.models import Role, Scope
from annotation.access import campaign_for
from annotation.votes.export import VotesExport
from annotation.votes.ingest import TOGETHER, VoteOptions
from annotation.votes.request import check_vote_options, start_votes_import
from corpus.access import project_to_fill
from corpus.api import JSON_LINES
from corpus.uploads import refuse_announced_size, uploaded_file
from ledger.api import RunOut, run_out

router = Router(tags=["votes"])

FILES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    "required": ["file"],
                }
            },
            JSON_LINES: {"schema": {"type": "string"}},
        },
    }
}


@router.post("/projects/{slug}/votes", response={202: RunOut}, openapi_extra=FILES_BODY)
def post_votes(
    request: HttpRequest,
    slug: str,
    campaign: str,
    source: str = "",
    format: str = "auto",
    licence: str = "",
    repeats: str = TOGETHER,
) -> Status[RunOut]:
    """Send one or several multipart `file`s of one data set, or JSON lines as the body; a run imports them.

    `campaign` names the closed campaign they come into, made if there is none. `repeats`: a pair that comes again
    under another id is the same comparison (`together`) or one of its own (`apart`).
    """
    caller = caller_of(request)
    project = project_to_fill(caller, slug)
    options = VoteOptions(campaign=campaign, source=source, format=format, licence=licence, repeats=repeats)
    check_vote_options(project, options)
    run = start_votes_import(project=project, by=caller.user, uploads=_uploads(request), options=options)
    return Status(202, run_out(run))


def _uploads(request: HttpRequest) -> list[UploadedFile[Any]]:
    refuse_announced_size(request)
    if (request.content_type or "").startswith("multipart/"):
        files = [file for file in request.FILES.getlist("file") if isinstance(file, UploadedFile) and file.size]
        if files:
            return files
    return [uploaded_file(request)]


@router.get("/campaigns/{campaign_id}/votes.{extension}", response={200: Any})
def get_votes(
    request: HttpRequest,
    campaign_id: int,
    extension: str,
    replaced: bool = False,
    texts: bool = False,
    gzip: bool = False,
) -> HttpResponseBase:
    """Raw votes as csv or jsonl, a row per judgment, annotators under pseudonyms; streamed.

    `replaced=true` adds answers that their authors have replaced, `texts=true` prompt and responses; `gzip=true`
    packs the file.
    """
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    export = VotesExport(campaign, extension, has_replaced=replaced, has_texts=texts, is_packed=gzip)
    response = StreamingHttpResponse(export.stream(), content_type=export.content_type)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    return response
