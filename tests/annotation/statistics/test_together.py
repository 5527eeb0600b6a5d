"""What all people say of a comparison: the same or not, and beside the imported label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from annotation.campaigns.queries import _by_turns, disagreements
from annotation.consensus.refresh import refresh_campaign
from annotation.desk.presentation import split_rows
from annotation.models import Campaign
from annotation.statistics.cohen import cohen_kappas
from annotation.statistics.together import NO_LABEL, together, two_by_two
from benchmarks import real_votes
from corpus.models import Comparison
from tests.annotation.statistics.conftest import needs_data

Say = Callable[[list[list[int | str | None]]], None]


@pytest.fixture
def say(
    people: Callable[[int], list[User]],
    comparisons: list[Comparison],
    vote_all: Callable[[dict[User, list[int | str | None]], list[Comparison]], None],
) -> Say:
    """A row per comparison, a column per person."""

    def give(rows: list[list[int | str | None]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        vote_all(dict(zip(people(len(columns)), columns, strict=True)), comparisons[: len(rows)])

    return give


def test_all_say_the_same_on_one_of_three(campaign: Campaign, say: Say) -> None:
    say([[1, 1], [1, -1], [0, 2], [3, None]])
    found = together(campaign).unanimous
    assert found.n_items == 3
    assert found.value == pytest.approx(1 / 3)
    assert found.low is not None and found.high is not None and found.low < 1 / 3 < found.high


def test_without_answers_it_says_why(campaign: Campaign) -> None:
    found = together(campaign)
    assert found.unanimous.value is None and found.unanimous.reason
    assert found.meets_label.reason == NO_LABEL
    assert two_by_two(campaign).mean.reason


def test_answers_that_lead_together_share_the_comparison(
    campaign: Campaign, comparisons: list[Comparison], say: Say
) -> None:
    Comparison.objects.update(label=None)
    Comparison.objects.filter(id__in=[held.id for held in comparisons[:3]]).update(label=2)
    say([[1, 1], [1, -1], [-1, -1], [1, 1]])
    found = together(campaign).meets_label
    assert found.n_items == 3
    assert found.value == pytest.approx(0.5)


def test_blocks_of_rounds_draw_what_single_rounds_draw() -> None:
    rng = np.random.default_rng(1)
    items, people = np.tile(np.arange(60), 3), np.repeat([1, 2, 3], 60)
    answers = rng.integers(-1, 2, 180).astype(float)
    whole = cohen_kappas(items, people, answers)
    assert whole.mean.low is not None and whole.mean == cohen_kappas(items, people, answers).mean


@needs_data
@pytest.mark.django_db
def test_the_pages_show_the_published_figures_of_pandalm(project: object, curator: User) -> None:
    real_votes.bring(project, "PandaLM", real_votes.FILES["PandaLM"], "apart")  # type: ignore[arg-type]
    campaign = real_votes.campaign_named(project, "PandaLM, apart")  # type: ignore[arg-type]
    kappas = [two.kappa.value for two in two_by_two(campaign).shown]
    assert kappas == pytest.approx([0.852, 0.879, 0.862], abs=5e-4)
    client = Client()
    client.force_login(curator)
    page = client.get(f"/p/demo/campaigns/{campaign.pk}/agreement/").content.decode()
    assert all(f"{known:.2f}" in page for known in (0.864, *real_votes.KNOWN_COHEN))
    told = client.get(f"/api/v1/projects/demo/agreement?campaign={campaign.pk}").json()["campaigns"][0]
    assert told["cohen_kappa"]["n_pairs"] == 3 and told["unanimous"]["value"] == pytest.approx(0.880, abs=5e-4)


def test_a_disagreement_names_how_many_said_what(campaign: Campaign, say: Say) -> None:
    say([[1, -1], [1, 0], [1, 1], ["both_bad", 1]])
    refresh_campaign(campaign=campaign, method="majority")
    rows = split_rows(disagreements(campaign))
    assert sorted(row.votes for row in rows) == [
        "1 A better, 1 B better",
        "1 B better, 1 both bad",
        "1 B better, 1 tie",
    ]
    assert all(row.a and row.b for row in rows)


def test_those_that_split_alike_come_prompt_by_prompt() -> None:
    rows = [(number, 0.4, 5, prompt) for number, prompt in enumerate([7, 7, 7, 8, 8, 9])]
    assert _by_turns([*rows, (9, 0.3, 5, 7)]) == [9, 0, 3, 5, 1, 4, 2]
