"""How allauth fits this house: accounts come from invitations and from `createsuperuser`."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class InvitedOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """A page that one has just logged in to needs no notice that says so."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """A server behind a Unix socket sees no address; then everybody shares one."""
        return (
            str(request.META.get("REMOTE_ADDR") or "unknown")
            if not settings.ALLAUTH_TRUSTED_PROXY_COUNT
            else (str(super().get_client_ip(request)))
        )
