"""The left rail, the same on every page: only what the role may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from accounts.access import ROLES
from accounts.models import Project, Role

register = template.Library()

# Label, URL name, and the least role that may open it.
RAIL = [
    ("Overview", "curation:overview", Role.CURATOR),
    ("Annotate", "annotation:annotate", Role.ANNOTATOR),
    ("Campaigns", "annotation:campaigns", Role.CURATOR),
    ("Rubrics", "annotation:rubrics", Role.CURATOR),
    ("Sources", "corpus:sources", Role.CURATOR),
    ("Comparisons", "curation:comparisons", Role.CURATOR),
    ("Review", "curation:review", Role.CURATOR),
    ("Methods", "curation:methods", Role.CURATOR),
    ("Runs", "ledger:runs", Role.CURATOR),
    ("Recipes", "curation:recipes", Role.CURATOR),
    ("Releases", "curation:releases", Role.CURATOR),
    ("People", "accounts:people", Role.OWNER),
    ("Settings", "accounts:settings", Role.OWNER),
]


@dataclass(frozen=True)
class RailLink:
    label: str
    href: str
    is_current: bool


def links_of(project: Project, role: Role | None, path: str) -> list[RailLink]:
    held = ROLES.index(Role(role)) if role else -1
    links = []
    for label, name, least in RAIL:
        if held < ROLES.index(least):
            continue
        try:
            href = reverse(name, args=[project.slug])
        except NoReverseMatch:
            continue
        is_current = path == href if name == "curation:overview" else path.startswith(href)
        links.append(RailLink(label, href, is_current))
    return links


@register.simple_tag(takes_context=True)
def rail_links(context: dict[str, Any], project: Project, role: Role | None) -> list[RailLink]:
    return links_of(project, role, context["request"].path)
