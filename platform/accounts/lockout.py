"""Too many failed logins for one e-mail from one address: what axes counts by, and the page it answers with."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

LONGEST = 254


def email_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """One account in any spelling is one account; what no database takes is left out."""
    given = (credentials or {}).get("email") or request.POST.get("login", "")
    return str(given).replace("\0", "").strip().lower()[:LONGEST]


def address_of(request: HttpRequest) -> str | None:
    """The client as our own proxies saw it; without proxies nobody's word counts but the socket's."""
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        return forwarded[-proxies]
    return request.META.get("REMOTE_ADDR") or None


def locked_page(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    seconds = seconds_left(email_of(request, credentials), address_of(request))
    page = render(request, "account/locked.html", {"minutes": math.ceil(seconds / 60)}, status=429)
    page["Retry-After"] = str(seconds)
    return page


def seconds_left(email: str, address: str | None) -> int:
    """The lock ends this long after the last failure that was counted."""
    cool_off = get_cool_off() or timedelta(0)
    attempts = AccessAttempt.objects.filter(username=email, ip_address=address).order_by("-attempt_time")
    last = attempts.values_list("attempt_time", flat=True).first() or timezone.now()
    return max(1, math.ceil((last + cool_off - timezone.now()).total_seconds()))
