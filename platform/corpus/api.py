"""Imports and sources over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from ninja import Router, Schema, Status

from accounts.access import caller_of
from corpus import queries
from corpus.access import import_for, project_to_fill, sources_for
from corpus.mapping import parse_mapping
from corpus.read_file import ImportOptions
from corpus.uploads import check_options, start_import, uploaded_file
from ledger.api import RunOut, run_out

router = Router(tags=["corpus"])

JSON_LINES = "application/x-ndjson"
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
            JSON_LINES: {"schema": {"type": "string"}},
        },
    }
}


class FileOut(Schema):
    name: str
    sha256: str
    size: int
    imported_at: datetime


class LabelsOut(Schema):
    response_a: int
    tie: int
    response_b: int
    unlabelled: int
    contradicted: int


class SourceOut(Schema):
    id: int
    name: str
    format: str
    licence: str
    rows: int
    labels: LabelsOut
    files: list[FileOut]


class SourcesOut(Schema):
    items: list[SourceOut]
    next: str | None


@router.post("/projects/{slug}/imports", response={202: RunOut}, openapi_extra=UPLOAD_BODY)
def post_import(
    request: HttpRequest, slug: str, source: str = "", format: str = "auto", mapping: str = "", licence: str = ""
) -> Status[RunOut]:
    """Send a multipart `file` (JSON lines, JSON, CSV or Parquet; gz or zst too), or JSON lines as the body.

    `mapping` names the file's columns: `prompt=question,response_a=left` or the same as a JSON object.
    """
    caller = caller_of(request)
    project = project_to_fill(caller, slug)
    options = ImportOptions(source=source, format=format, mapping=parse_mapping(mapping), licence=licence)
    check_options(options)
    upload = uploaded_file(request)
    return Status(202, run_out(start_import(project=project, by=caller.user, upload=upload, options=options)))


@router.get("/runs/{run_id}/rejects.jsonl", response={200: None})
def get_rejects(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """The rows that an import refused: a line of JSON each, {line, reason, message}."""
    run = import_for(caller_of(request), run_id)
    stored = f"imports/{run.id}/rejects.jsonl"
    if not default_storage.exists(stored):
        return HttpResponse(b"", content_type=JSON_LINES)
    name = f"rejects-{run.id}.jsonl"
    return FileResponse(default_storage.open(stored), content_type=JSON_LINES, filename=name, as_attachment=True)


@router.get("/projects/{slug}/sources", response=SourcesOut)
def get_sources(request: HttpRequest, slug: str) -> SourcesOut:
    """Where the rows came from, with the balance of their imported labels."""
    project = sources_for(caller_of(request), slug)
    return SourcesOut(items=[_source_out(row) for row in queries.sources_of(project)], next=None)


def _source_out(row: queries.SourceRow) -> SourceOut:
    labels = row.labels
    return SourceOut(
        id=row.source.id,
        name=row.source.name,
        format=row.source.format,
        licence=row.source.licence,
        rows=labels.rows,
        labels=LabelsOut(**{name: getattr(labels, name) for name in LabelsOut.model_fields}),
        files=[FileOut.from_orm(file) for file in row.files],
    )
