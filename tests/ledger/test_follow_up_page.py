"""What the page of a run of follow-up scores shows."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Project, User
from ledger.models import Run
from ledger.templatetags.aspect_pictures import aspect_bars, heatmap, spoken
from tests.accessibility.followed import follow, followed


@pytest.fixture
def page(client: Client, project: Project, curator: User) -> str:
    client.force_login(curator)
    answer = client.get(f"/p/demo/runs/{follow(project).pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_aspect_has_a_bar_an_interval_and_a_row_of_the_table(page: str) -> None:
    assert page.count('class="spans__bar') == page.count('class="spans__line"') == 8
    for name in ("all aspects together", "instruction following", "the longer response"):
        assert re.search(
            rf'<th scope="row">{name}</th><td data-label="Agrees">0\.\d\d, 0\.\d\d to 0\.\d\d, n = 200', page
        )


def test_correlations_are_a_map_with_a_number_in_each_cell_and_a_table_beside(page: str) -> None:
    assert page.count('<rect class="heat__cell') == page.count('class="heat__value') == 36
    assert "correlation over 200 comparisons; mean 0." in page and "The aspects " in page
    assert re.search(r"<title>relevance with correctness: 0\.\d\d, 0\.\d\d to 0\.\d\d</title>", page)
    assert "As a table, with intervals" in page


def test_a_source_without_anything_says_why_there_is_no_figure(page: str) -> None:
    assert "None of the 0 comparisons has a label" in page
    assert "0 comparisons are usable, and 10 are needed" in page and "not measured" in page


def test_it_names_the_words_and_what_keeps_it_from_labelling(page: str) -> None:
    assert "48 remarks of the follow-ups" in page and 'href="/p/demo/wordings/follow_ups/?version=0"' in page
    assert "A full stop wins in 24 of 200 prompts." in page


def test_strangers_see_nothing_of_it(client: Client, project: Project, stranger: User, annotator: User) -> None:
    run: Run = follow(project)
    for person, status in ((stranger, 404), (annotator, 403)):
        client.force_login(person)
        assert client.get(f"/p/demo/runs/{run.pk}/").status_code == status


def test_what_has_no_interval_has_no_bar_and_what_has_no_correlations_no_map() -> None:
    alone = followed(accuracy=None, length_accuracy=None, aspects=[{"aspect": "tone"}])
    assert aspect_bars(alone)["rows"] == []
    assert heatmap({"correlations": None}) is None and spoken("so_it_is") == "so it is"
    without = heatmap({"correlations": [[1.0, -0.4], [-0.4, 1.0]], "names": ["a", "b"]})
    assert without is not None
    assert [cell.is_against for row in without["rows"] for cell in row.cells] == [False, True, True, False]
    assert without["rows"][0].cells[1].say == "a with b: -0.40"
