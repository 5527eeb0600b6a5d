"""The desk's page names all modules that it needs, so that the browser fetches them at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign

JS = Path(settings.BASE_DIR) / "static" / "js"


def modules_behind(path: Path, found: set[Path]) -> set[Path]:
    if path not in found:
        found.add(path)
        for name in re.findall(r'^import .* from "(\..*)";$', path.read_text(), re.MULTILINE):
            modules_behind((path.parent / name).resolve(), found)
    return found


@pytest.mark.parametrize("kind", ["pairwise", "rating", "rubric", "ranking"])
def test_every_module_is_asked_for_by_the_page_itself(
    client: Client, annotator: User, project: Project, comparisons: object, kind: str
) -> None:
    rubric = ["Is it true?"] if kind == "rubric" else None
    campaign = create_campaign(project=project, name="Pairs", kind=kind, rubric=rubric)
    client.force_login(annotator)
    page = client.get(f"/p/demo/campaigns/{campaign.id}/judge/").content.decode()
    asked_for = {
        re.sub(r"\.[0-9a-f]{12}\.js$", ".js", name)
        for name in re.findall(r'(?:modulepreload" href|module" src)="/static/js/([^"]+)"', page)
    }
    needed = modules_behind(JS / "desk" / "core.js", set()) | modules_behind(
        JS / "desk" / "kinds" / f"{kind}.js", set()
    )
    assert {str(path.relative_to(JS)) for path in needed} <= asked_for
