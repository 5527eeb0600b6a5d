"""The list of model servers, for the worker that reaches them."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Project
from curation.model_servers.queries import servers_of


@dataclass(frozen=True)
class Listed:
    url: str
    tokenizer: str


def read_model_servers(project: Project) -> list[Listed]:
    return [Listed(server.url, server.tokenizer) for server in servers_of(project)]
