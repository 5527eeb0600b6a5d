"""The pages that belong to no area: home, health, and what is shown when something breaks."""

from __future__ import annotations

import ipaddress
import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import Caller, caller_of
from accounts.models import Scope
from accounts.problems import NotFound, Unauthenticated
from accounts.queries import projects_for
from accounts.tokens import caller_with
from winnow.errors import (
    RETRY_AFTER_SECONDS,
    broken_response,
    database_is_away,
    is_api,
    note_error,
    unavailable_response,
)
from winnow.health import metrics_text, missing_parts
from winnow.home import at_home


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What needs me now?"""
    caller = caller_of(request)
    projects = list(projects_for(caller)[:50])
    return render(request, "winnow/home.html", {"found": at_home(caller.user, projects, now=timezone.now())})


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """The process lives; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    missing = missing_parts()
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    if not (_is_local(request) or _is_operator(request)):
        raise NotFound("There is nothing here for you.")
    return HttpResponse(metrics_text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(request: HttpRequest) -> bool:
    """From this machine itself, and not through a proxy that runs on it."""
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "").is_loopback
    except ValueError:
        return False


def _is_operator(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        caller = caller_with(token) if scheme.lower() == "bearer" else caller_of(request)
    except Unauthenticated:
        return False
    return _reaches_all(caller)


def _reaches_all(caller: Caller) -> bool:
    return caller.user.is_superuser and caller.may(Scope.ADMIN) and caller.only_project_id is None


def unavailable_page() -> HttpResponse:
    """Needs no database, so that it can say that there is none."""
    response = HttpResponse(render_to_string("winnow/unavailable.html"), status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled; what a middleware met comes here too."""
    exception = sys.exc_info()[1]
    if database_is_away(exception):
        return unavailable_response() if is_api(request) else unavailable_page()
    error_id = note_error(request, exception)
    if is_api(request):
        return broken_response(error_id)
    return HttpResponse(render_to_string("500.html", {"error_id": error_id}), status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Rendered without the request: its host name may be what was wrong with it."""
    host = request.META.get("HTTP_HOST", "") if isinstance(exception, DisallowedHost) else ""
    return HttpResponse(render_to_string("400.html", {"host": host}), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)
