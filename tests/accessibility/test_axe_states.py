"""Pages that `test_axe.py` walks, in other states and for an annotator; a file of its own, so that two run at once."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from tests.accessibility.conftest import Filled
from tests.accessibility.test_axe import PageAs, problems_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def more_pages(filled: Filled) -> list[str]:
    return [
        f"/p/demo/runs/{filled.failed.pk}/",
        f"/p/demo/runs/{filled.ordered.pk}/",
        f"/p/demo/runs/{filled.reviewed.pk}/",
        f"/p/demo/runs/{filled.pooled.pk}/",
        f"/p/demo/runs/{filled.followed.pk}/",
        f"/p/demo/runs/{filled.ratios.pk}/",
        f"/p/demo/runs/{filled.written.pk}/",
        f"/p/demo/runs/{filled.chosen.pk}/",
        "/p/demo/recipes/labels/",
        "/p/demo/releases/labelled/",
        "/p/demo/wordings/follow_ups/?version=0",
        f"/p/demo/campaigns/{filled.campaign.pk}/work/",
        f"/p/demo/review/?id={filled.hostile.pk}",
        "/p/demo/comparisons/?people_disagree=true&order=strength",
        "/p/demo/comparisons/?source=none",
        "/p/demo/runs/?state=cancelled",
        f"/p/demo/campaigns/{filled.campaign.pk}/",
        f"/p/demo/campaigns/{filled.rated.pk}/quality/",
        f"/p/demo/campaigns/{filled.rated.pk}/work/",
        f"/p/demo/campaigns/{filled.rated.pk}/judge/",
        f"/p/demo/campaigns/{filled.checked.pk}/judge/",
        f"/p/demo/campaigns/{filled.checked.pk}/",
        f"/p/demo/rubrics/{filled.rubric.pk}/?since=1",
        f"/p/demo/audits/{filled.auditing.pk}/",
        "/p/demo/recipes/flipping/gain/",
        f"/p/demo/runs/{filled.gained.pk}/",
        f"/p/demo/audits/{filled.claiming.pk}/label/",
        f"/p/demo/audits/{filled.claimed.pk}/",
    ]


def test_nothing_is_out_of_reach_in_other_states(filled: Filled, page_as: PageAs, live_server: LiveServer) -> None:
    owner = page_as(filled.owner)
    found: list[str] = []
    for path in more_pages(filled):
        found += problems_of(owner, live_server.url + path)
    annotator = page_as(filled.annotator)
    for path in (
        "/",
        "/p/demo/annotate/",
        "/p/demo/history/",
        "/p/demo/my-work/",
        reverse("annotation:judge", args=["demo", filled.campaign.pk]),
    ):
        found += problems_of(annotator, live_server.url + path)
    assert not found, "\n".join(found)
