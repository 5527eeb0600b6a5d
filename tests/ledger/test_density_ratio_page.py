"""What the page of a run of density ratios shows."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Project, User
from ledger.templatetags.ledger_runs import beyond_half, probed, scatter
from tests.accessibility.rated import rate


@pytest.fixture
def page(client: Client, project: Project, curator: User) -> str:
    client.force_login(curator)
    answer = client.get(f"/p/demo/runs/{rate(project).pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_agreement_stands_beside_the_strong_model_and_length(page: str) -> None:
    for shown in ("density ratio", "the strong model alone", "the longer response", "points, ", "n = 300", "in nats"):
        assert shown in page
    assert "Scores do not mainly go with length. Spearman" in page


def test_a_source_without_labels_says_why_and_its_flags_are_counted(page: str) -> None:
    assert "None of the 12 comparisons has a label that is no tie" in page
    assert "12 nonfinite, 12 truncated" in page
    assert "0 responses have a score, and 10 are needed" in page


def test_domains_have_a_bar_and_a_row_each(page: str) -> None:
    assert page.count('class="spans__dot"') == 3
    assert page.count('data-label="The longer response">no labels') == 3


def test_each_probe_has_a_chip_a_figure_and_a_sentence(page: str) -> None:
    for shown in ("the probes did not pass", "100.0 %, 94.0 to 100.0 %, n = 60", "told only", "a blank"):
        assert shown in page
    assert 'href="/p/demo/probes/"' in page


def test_the_words_and_the_weights_are_named(page: str) -> None:
    assert "Prompts were placed by rules" in page and "version 0</a> <code>555555555555</code>" in page
    assert "Weights of strong</dt><dd>toy-strong <code>aaaaaaaaaaaa</code>" in page


def test_strangers_see_nothing_of_it(client: Client, project: Project, stranger: User, annotator: User) -> None:
    run = rate(project)
    for person, status in ((stranger, 404), (annotator, 403)):
        client.force_login(person)
        assert client.get(f"/p/demo/runs/{run.pk}/").status_code == status


def test_pictures_of_nothing_are_none() -> None:
    assert scatter([]) is None
    assert beyond_half([{"accuracy": {"share": None, "interval": None}}, {}], "accuracy")["rows"] == []
    alone = scatter([[0.0, 0.0]])
    assert alone is not None and alone.path == "M360.0 110.0h0"


def test_dots_lie_right_of_zero_where_b_is_longer_and_above_it_where_b_scores_higher() -> None:
    plot = scatter([[10.0, 5.0], [-10.0, -5.0]])
    assert plot is not None
    assert plot.path == "M705.6 4.4h0M14.4 215.6h0"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"name": "keys", "value": 0.004, "low": 0.0, "high": 0.019, "n": 2000}, "0.4 %, 0.0 to 1.9 %, n = 2,000"),
        (
            {"name": "beyond_length", "value": -0.02, "low": -0.05, "high": 0.01, "n": 9},
            "−2.0 points, −5.0 to +1.0 points, n = 9",
        ),
        ({"name": "ece", "value": 0.123, "low": None, "high": None, "n": 9}, "0.12, n = 9"),
        ({"name": "contrast", "value": None, "n": 3}, "n = 3"),
    ],
)  # fmt: skip
def test_a_probe_is_told_in_its_own_unit(record: dict[str, object], words: str) -> None:
    assert probed(record) == words
