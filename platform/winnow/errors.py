"""Every error of the API in one shape: {"error": {"code", "message", "fields"}}."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger("winnow.errors")

API_PREFIX = "/api/"
DATABASE_AWAY = "The database does not answer. Nothing that was acknowledged is lost; try again in a few seconds."
RETRY_AFTER_SECONDS = 5
# No connection, or one that died; a full pool counts too.
DATABASE_ERRORS = (OperationalError, InterfaceError)

# What Django or the framework refused before a handler of ours could say more.
SENTENCES = {
    400: ("bad_request", "The server could not read this request."),
    401: ("unauthenticated", "Log in, or send a token as `Authorization: Bearer TOKEN`."),
    403: ("forbidden", "This is not yours to do."),
    404: ("not_found", "There is nothing at this address; /api/v1/docs lists what there is."),
    405: ("method_not_allowed", "This address does not answer this method."),
    413: ("too_large", "This body is larger than the server takes."),
    415: ("unsupported_media_type", "The server cannot read this content type."),
    429: ("too_many_requests", "Too many requests; wait a moment and go on slower."),
    500: ("server_error", "Something broke on the server."),
    503: ("unavailable", DATABASE_AWAY),
}
NO_SUCH_TEXT = "Some text holds a NUL character or half of a surrogate pair, which cannot be stored; take it out."


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def database_is_away(exception: BaseException | None) -> bool:
    return isinstance(exception, DATABASE_ERRORS)


def is_text_that_cannot_be_stored(exception: BaseException | None) -> bool:
    """Of what a caller sent; every field that says so itself says it better."""
    if isinstance(exception, UnicodeEncodeError):
        return exception.reason == "surrogates not allowed"
    says = str(exception)
    return isinstance(exception, DataError | ValueError) and ("NUL (0x00)" in says or "\\u0000 cannot" in says)


def error_response(
    status: int, *, code: str = "", message: str = "", fields: Mapping[str, Any] | None = None
) -> JsonResponse:
    usual_code, usual_message = SENTENCES.get(status, (HTTPStatus(status).name.lower(), HTTPStatus(status).phrase))
    error = {"code": code or usual_code, "message": message or usual_message, "fields": dict(fields or {})}
    return JsonResponse({"error": error}, status=status)


def unavailable_response() -> JsonResponse:
    response = error_response(503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def throttled_response(wait: float | None) -> JsonResponse:
    response = error_response(429)
    response["Retry-After"] = str(max(1, math.ceil(wait or 1)))
    return response


def note_error(request: HttpRequest, exception: BaseException | None) -> str:
    """Log what nobody expected under an id that the user can quote; the page shows the id only."""
    error_id = uuid.uuid4().hex[:12]
    logger.error("error %s at %s %s", error_id, request.method, request.path, exc_info=exception)
    return error_id


def broken_response(error_id: str) -> JsonResponse:
    message = f"{SENTENCES[500][1]} Try again; if it stays, quote the id {error_id} to whoever runs this server."
    return error_response(500, message=message, fields={"id": error_id})
