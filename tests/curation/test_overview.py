from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Project, User
from annotation.models import Consensus
from corpus.models import Comparison
from curation.decide import decide
from curation.histogram import BINS, histograms, together
from curation.models import Signal
from curation.overview import funnel, opinions, sources
from curation.row_filter import RowFilter
from ledger.shares import Share

MakeComparison = Callable[..., Comparison]


@pytest.fixture
def rows(
    project: Project,
    curator: User,
    make_comparison: MakeComparison,
    vote: Callable[..., Signal],
    agree: Callable[..., Consensus],
) -> list[Comparison]:
    """Five rows: three voted, two of them against the label; two judged, one of them against the label."""
    made = [make_comparison(label) for label in (-1, 1, 2, 0)] + [make_comparison(labels=[-1, 1])]
    for row, mean in ((made[0], 1.0), (made[1], 0.4), (made[2], -0.4)):
        vote(row, mean)
    agree(made[0], -2)
    agree(made[1], -1)
    decide(project=project, comparison_ids=[made[3].pk], action="drop", author=curator)
    return made


def test_the_funnel_counts_each_step(project: Project, rows: list[Comparison]) -> None:
    assert [(step.name, step.count) for step in funnel(project)] == [
        ("Imported", 5),
        ("Judged", 2),
        ("Voted", 3),
        ("Decided", 1),
        ("Released", 0),
    ]


def test_each_source_is_told_apart(project: Project, rows: list[Comparison]) -> None:
    (source,) = sources(project)
    assert (source.name, source.rows, source.label_a, source.label_tie, source.label_b) == ("helpful", 5, 1, 1, 2)
    assert (source.unlabelled, source.contradicted) == (1, 1)
    assert (source.models_agree, source.people_agree) == (Share(1, 3), Share(1, 2))


def test_people_and_models_are_counted_where_both_lean(project: Project, rows: list[Comparison]) -> None:
    found = opinions(project)
    assert (found.people_a_models_b, found.agreement) == (2, Share(0, 2))


def test_strengths_are_counted_toward_the_label(project: Project, rows: list[Comparison]) -> None:
    (part,) = histograms(project, RowFilter())
    assert (part.name, part.n, part.without, part.against, part.limit) == ("helpful", 3, 2, 2, 1.0)
    assert len(part.bars) == BINS and part.counts[0] == 1
    assert sum(bar.count for bar in part.bars if bar.is_against) == 2


def test_the_histogram_leaves_the_range_of_strength_open(project: Project, rows: list[Comparison]) -> None:
    (part,) = histograms(project, RowFilter(min_strength=0.3, label="b"))
    assert part.n == 2


def test_a_decision_shows_in_the_figures_at_once(project: Project, rows: list[Comparison], curator: User) -> None:
    assert histograms(project, RowFilter())[0].against == 2
    decide(project=project, comparison_ids=[rows[0].pk], action="flip", author=curator)
    assert histograms(project, RowFilter())[0].against == 1


def test_no_rows_make_no_picture(project: Project) -> None:
    assert together(histograms(project, RowFilter())) is None


def test_a_share_comes_with_its_interval() -> None:
    # Wilson's interval for 8 of 10, worked out by hand.
    low, high = Share(8, 10).interval or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert str(Share(8, 10)) == "0.80, 0.49 to 0.94, n = 10"
    assert str(Share(0, 0)) == "no rows yet" and Share(0, 0).value is None


def test_the_page_leads_from_each_figure_to_its_rows(client: Client, curator: User, rows: list[Comparison]) -> None:
    client.force_login(curator)
    text = client.get("/p/demo/").content.decode()
    for shown in ("judged=true", "voted=true", "decision=any", "source=helpful&amp;label=a", "n = 3", "0.33, 0.06 to"):
        assert shown in text
    assert "people=a&amp;models=b" in text
    assert client.get("/p/demo/comparisons/?people=a&models=b").content.decode().count('class="row"') == 2


def test_an_empty_project_says_what_to_do_first(client: Client, curator: User, project: Project) -> None:
    client.force_login(curator)
    text = client.get("/p/demo/").content.decode()
    assert "Nothing imported yet" in text and "/p/demo/import/" in text


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_others_do_not_see_the_state(
    client: Client, project: Project, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get("/p/demo/").status_code == status
    assert client.get("/p/demo/figures/").status_code == status


def test_simulated_answers_are_counted_apart(
    project: Project, rows: list[Comparison], simulated_answer: Callable[..., None]
) -> None:
    simulated_answer(rows[0], -2)
    judged = next(step for step in funnel(project) if step.name == "Judged")
    assert judged.note == "1 with answers of simulated annotators"
    assert (sources(project)[0].simulated, opinions(project).simulated) == (1, 1)


def test_the_page_names_simulated_answers(
    client: Client, project: Project, curator: User, rows: list[Comparison], simulated_answer: Callable[..., None]
) -> None:
    for row in rows[:2]:
        simulated_answer(row, -2)
    client.force_login(curator)
    page = client.get("/p/demo/").content.decode()
    assert "all with answers of simulated annotators" in page and "2 of these rows: simulated annotators" in page
    assert "2 simulated</td>" in page
