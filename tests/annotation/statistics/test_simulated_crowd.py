"""The whole way over a real socket: people with planted biases claim and judge, and the figures tell who is who."""

from __future__ import annotations

import math

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Judgment
from benchmarks.simulated_crowd import Recovered, Temper, annotate, recovered, two_classes
from corpus import sample
from corpus.models import Comparison

ITEMS = 70
# Everybody judges everything, so that what is found hangs on the orders shown alone.
CROWD = [
    Temper(2.2),
    Temper(1.6, side=2.0),
    Temper(1.8, length=0.4),
    Temper(1.4),
    Temper(2.0, side=-0.3),
    Temper(1.2),
]


def _widened(one: Recovered) -> tuple[float, float]:
    """The interval at 99.9 %: who judges first, and so the order shown, differs from run to run."""
    middle, low = math.log(one.value / (1 - one.value)), math.log(one.low / (1 - one.low))
    half = (middle - low) * 3.29 / 1.96
    return 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle))


@pytest.mark.django_db(transaction=True)
def test_a_strong_side_bias_is_found_and_the_unbiased_are_not_accused(live_server: LiveServer) -> None:
    project = Project.objects.create(slug="demo", name="Demo")
    sample.load(project)
    surplus = Comparison.objects.order_by("id").values("id")[ITEMS:]
    Comparison.objects.filter(id__in=list(surplus.values_list("id", flat=True))).delete()
    campaign = create_campaign(project=project, name="Crowd", overlap=len(CROWD))
    crowd = annotate(live_server.thread.port, campaign, CROWD, two_classes(5), "crowd")

    assert Judgment.objects.filter(campaign=campaign).count() == ITEMS * len(CROWD)
    assert all(User.objects.get(id=person).is_simulated for person in crowd)
    found = {(one.person, one.what): one for one in recovered(campaign, crowd)}
    biased = found[2, "first"]
    # Who judges first, and so the order shown, differs from run to run: found is all that can be asked for.
    assert biased.low > 0.5 and biased.n > 50
    for person in (1, 3, 4, 6):
        low, high = _widened(found[person, "first"])
        assert low < 0.5 < high, found[person, "first"]
    outside = [one for one in found.values() if not _widened(one)[0] <= one.planted <= _widened(one)[1]]
    assert outside == []
