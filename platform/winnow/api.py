"""The API of all areas at /api/v1: who calls, how fast, and errors in one shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from accounts import api as accounts
from accounts.access import Caller
from accounts.problems import Forbidden, Problem, Unauthenticated
from accounts.tokens import caller_with
from annotation import api as annotation
from corpus import api as corpus
from curation import api as curation
from ledger import api as ledger
from winnow.errors import (
    NO_SUCH_TEXT,
    broken_response,
    database_is_away,
    error_response,
    is_text_that_cannot_be_stored,
    note_error,
    throttled_response,
    unavailable_response,
)
from winnow.joined_router import joined
from winnow.throttle import PerCaller

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class BearerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`; a bad one is refused even if a session came with it."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        header = request.headers.get("Authorization")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send the token as `Authorization: Bearer TOKEN`.")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        return caller_with(token)


class BrowserSession(APIKeyCookie):
    """The pages' own calls: the session cookie, with the CSRF token for whatever changes something."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        caller = self.authenticate(request, request.COOKIES.get(self.param_name))
        if caller is not None and request.method not in SAFE_METHODS and check_csrf(request):
            raise Forbidden("The CSRF token is missing or wrong; load the page again, or use an API token.")
        return caller

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        return Caller(user=request.user) if key and request.user.is_authenticated else None


api = NinjaAPI(
    title="Winnow",
    version="1",
    urls_namespace="api",
    description="Preference data: import, annotate, judge by model, decide, release. Errors are "
    '`{"error": {"code", "message", "fields"}}`; lists are `{"items", "next"}` with an opaque cursor.',
    auth=[BearerToken(), BrowserSession()],
    throttle=[PerCaller(rate=settings.API_REQUESTS_PER_SECOND, burst=2 * settings.API_REQUESTS_PER_SECOND)],
)


def answer(request: HttpRequest, exception: Any) -> HttpResponse:
    """What the caller is told about whatever a handler raised."""
    match exception:
        case Problem():
            return error_response(
                exception.status, code=exception.code, message=exception.message, fields=exception.fields
            )
        case ValidationError():
            return _invalid(exception.errors)
        case Throttled():
            return throttled_response(exception.wait)
        case HttpError():
            # The framework's own words are for developers; ours are kept for what it raises without a message.
            is_plain = exception.status_code in {401, 403}
            return error_response(exception.status_code, message="" if is_plain else exception.message)
        case Http404():
            return error_response(404)
        case PermissionDenied():
            return error_response(403)
        case RequestDataTooBig():
            return error_response(413)
        case SuspiciousOperation():
            return error_response(400)
    if database_is_away(exception):
        return unavailable_response()
    if is_text_that_cannot_be_stored(exception):
        return error_response(422, code="invalid_text", message=NO_SUCH_TEXT)
    return broken_response(note_error(request, exception))


def _invalid(errors: Iterable[dict[str, Any]]) -> HttpResponse:
    fields = {_field(error["loc"]): _words(error["msg"]) for error in errors}
    named = ", ".join(name for name in fields if name)
    message = f"Please check: {named}." if named else "The body could not be read as JSON of the right shape."
    return error_response(422, code="invalid", message=message, fields=fields)


def _field(location: tuple[Any, ...]) -> str:
    """("body", "payload", "name") is `name` to whoever wrote the request."""
    inner = location[2:] if location[0] in {"body", "form", "file"} and len(location) > 2 else location[1:]
    return ".".join(str(part) for part in inner)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


for _expected in (Exception, Problem, ValidationError, HttpError, Http404):
    api.add_exception_handler(_expected, answer)

api.add_router("", joined([accounts.router, ledger.router, corpus.router, *annotation.ROUTERS, curation.router]))
