"""Listing model servers, and taking them off the list; both are in the trail."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Conflict
from curation.model_servers.address import InvalidModelServer, canonical
from curation.models import ModelServer

MOST = 50


class AlreadyListed(Conflict):
    code = "model_server_listed"


def add_server(*, project: Project, url: str, by: User, tokenizer: str = "", note: str = "") -> ModelServer:
    url = canonical(url.strip(), private=settings.WINNOW_PRIVATE_MODEL_SERVERS)
    tokenizer, note = tokenizer.strip(), " ".join(note.split())
    if tokenizer and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", tokenizer):
        words = "Name a folder of WINNOW_HOME/models: letters, digits, points, hyphens and underscores."
        raise InvalidModelServer(words, fields={"tokenizer": words})
    for name, value, most in (("url", url, 300), ("tokenizer", tokenizer, 100), ("note", note, 500)):
        if len(value) > most:
            raise InvalidModelServer(f"The {name} is longer than {most} letters.", fields={name: "too long"})
    with transaction.atomic():
        # One writer per project, so that the same server is not listed twice.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        listed = ModelServer.objects.filter(project=project)
        if listed.filter(url=url).exists():
            raise AlreadyListed(f"{url} is listed already.", fields={"url": "listed already"})
        if listed.count() >= MOST:
            raise InvalidModelServer(f"A project lists at most {MOST} model servers.", fields={"url": "too many"})
        server = ModelServer.objects.create(project=project, url=url, tokenizer=tokenizer, note=note, added_by=by)
        _tell(server, by, "list model server")
    return server


def remove_server(*, server: ModelServer, by: User) -> None:
    """A run that uses it ends at its next piece. Twice is harmless."""
    with transaction.atomic():
        held = ModelServer.objects.select_for_update().filter(pk=server.pk).first()
        if held is not None:
            _tell(held, by, "remove model server")
            held.delete()


def _tell(server: ModelServer, by: User, action: str) -> None:
    details = {"url": server.url, "tokenizer": server.tokenizer, "note": server.note}
    audit.record(actor=by, project=server.project, action=action, subject=server, details=details)
