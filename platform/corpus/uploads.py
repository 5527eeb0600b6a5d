"""Uploads on their way into the storage, in chunks; and the run that imports them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Any, BinaryIO, ClassVar, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_valid_filename

from accounts.models import Project, User
from accounts.problems import Invalid, NotFound, Problem
from corpus.formats import check_format, check_mapping
from corpus.read_file import ImportOptions
from ledger.models import Run, RunKind
from ledger.runs import request_run

CHUNK = 2**20
PENDING = "imports/pending"
PENDING_FOR = timedelta(hours=24)
MAX_NAME = 120


class UploadTooLarge(Problem):
    status: ClassVar[int] = 413
    code: ClassVar[str] = "too_large"


class NoUpload(Invalid):
    code = "no_upload"


class UploadGone(NotFound):
    code = "upload_gone"


def uploaded_file(request: HttpRequest) -> UploadedFile[Any]:
    """The multipart `file`, or the body itself as JSON lines; never more of it in memory than a chunk."""
    refuse_announced_size(request)
    if (request.content_type or "").startswith("multipart/"):
        upload = request.FILES.get("file")
        if not isinstance(upload, UploadedFile):
            raise NoUpload("Send the file as the multipart field `file`.", {"file": "missing"})
    else:
        upload = _body(request)
    if not upload.size:
        raise NoUpload("The upload is empty.", {"file": "empty"})
    return upload


def start_import(*, project: Project, by: User, upload: UploadedFile[Any], options: ImportOptions) -> Run:
    """The upload goes to imports/<run id>/<name>; the message is sent once row and file are both there."""
    check_options(options)
    name = display_name(upload.name)
    with transaction.atomic():
        run = _request(project, by, name, options)
        stored = default_storage.save(f"imports/{run.id}/{safe_name(name)}", File(upload))
        return _with_file(run, name, stored)


def start_pending_import(*, project: Project, by: User, pending: str, name: str, options: ImportOptions) -> Run:
    """For an upload that was previewed before."""
    check_options(options)
    if not default_storage.exists(pending):
        raise UploadGone("The uploaded file is no longer there; choose it again.")
    with transaction.atomic():
        run = _request(project, by, name, options)
        with default_storage.open(pending) as upload:
            stored = default_storage.save(f"imports/{run.id}/{safe_name(name)}", _moved(pending, upload))
        if default_storage.exists(pending):
            default_storage.delete(pending)
        return _with_file(run, name, stored)


def keep_pending(upload: UploadedFile[Any]) -> tuple[str, str]:
    """Keep an upload until it is confirmed; its name in the storage and the name it came with."""
    sweep_pending()
    name = display_name(upload.name)
    return default_storage.save(f"{PENDING}/{secrets.token_hex(12)}/{safe_name(name)}", File(upload)), name


def sweep_pending() -> None:
    """Uploads that nobody confirmed within a day go."""
    if not default_storage.exists(PENDING):
        return
    for folder in default_storage.listdir(PENDING)[0]:
        for name in default_storage.listdir(f"{PENDING}/{folder}")[1]:
            stored = f"{PENDING}/{folder}/{name}"
            if default_storage.get_modified_time(stored) < timezone.now() - PENDING_FOR:
                default_storage.delete(stored)


def check_options(options: ImportOptions) -> None:
    check_format(options.format)
    check_mapping(options.mapping)
    for field, value in {"source": options.source, "licence": options.licence}.items():
        if len(value) > MAX_NAME or "\0" in value:
            raise Invalid(f"The {field} should have at most {MAX_NAME} characters.", {field: "too long"})


def _request(project: Project, by: User, name: str, options: ImportOptions) -> Run:
    params: dict[str, Any] = {"files": [{"name": name}], **parameters(options)}
    return request_run(
        project=project, kind=RunKind.IMPORT, method="import", queue="io", params=params, requested_by=by
    )


def parameters(options: ImportOptions) -> dict[str, Any]:
    return {
        "source": options.source,
        "format": options.format,
        "mapping": options.mapping,
        "licence": options.licence,
    }


def _with_file(run: Run, name: str, stored: str) -> Run:
    run.params = {**run.params, "files": [{"name": name, "stored": stored}]}
    run.save(update_fields=["params"])
    return run


def refuse_announced_size(request: HttpRequest) -> None:
    # Multipart adds its own lines around the file.
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdigit() and int(announced) > settings.WINNOW_MAX_UPLOAD_BYTES + 2**16:
        raise _too_large()


def _too_large() -> UploadTooLarge:
    limit = settings.WINNOW_MAX_UPLOAD_BYTES
    message = f"The upload is larger than {limit:,} bytes (WINNOW_MAX_UPLOAD_BYTES); import_data has no such limit."
    return UploadTooLarge(message, {"file": "too large"})


def _body(request: HttpRequest) -> UploadedFile[Any]:
    upload = TemporaryUploadedFile("rows.jsonl", "application/x-ndjson", 0, None)
    size = 0
    for chunk in _chunks(request):
        size += len(chunk)
        if size > settings.WINNOW_MAX_UPLOAD_BYTES:
            upload.close()
            raise _too_large()
        upload.write(chunk)
    upload.size = size
    upload.seek(0)
    return upload


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    stream = cast(BinaryIO, request)
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Django takes a body without a length for empty; the server behind it knows where the body ends.
        stream = request.META.get("wsgi.input", request)
    while chunk := stream.read(CHUNK):
        yield chunk


def display_name(name: str | None) -> str:
    plain = PurePath((name or "").replace("\\", "/")).name.replace("\0", "")
    return plain[-200:] or "rows.jsonl"


def safe_name(name: str) -> str:
    """Keeps the endings, which tell the format."""
    return get_valid_filename(name)[-100:].lstrip(".") or "upload"


def _moved(stored: str, upload: File[bytes]) -> File[bytes]:
    """A file that a storage on the same disk takes by renaming."""
    try:
        path = default_storage.path(stored)
    except NotImplementedError:
        return upload
    moved = File(upload.file)
    moved.temporary_file_path = lambda: path  # type: ignore[attr-defined]  # FileSystemStorage looks for it
    return moved
