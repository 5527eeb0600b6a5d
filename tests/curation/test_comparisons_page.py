from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Project, User
from annotation.models import Consensus
from corpus.models import Comparison
from curation.models import Decision, DecisionBatch, Signal

MakeComparison = Callable[..., Comparison]
PAGE = "/p/demo/comparisons/"


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def fragment(client: Client, path: str, target: str, **query: Any) -> str:
    response = client.get(path, query, headers={"hx-request": "true", "hx-target": target})
    assert response.status_code == 200
    return response.content.decode()


def decide(client: Client, **data: Any) -> Any:
    return client.post(f"{PAGE}decide/", data, headers={"hx-request": "true", "hx-target": "notice"})


def test_the_list_shows_each_row_with_its_strength_and_decision(
    logged_in: Client, comparison: Comparison, vote: Callable[..., Signal], agree: Callable[..., Consensus]
) -> None:
    vote(comparison, 1.5, share_b=0.9)
    text = logged_in.get(PAGE).content.decode()
    for shown in ("Question 1?", "A better", "−1.50", "incorrect", "undecided", "n = 1", "1 against their label"):
        assert shown in text


def test_without_rows_the_page_says_how_to_bring_some(logged_in: Client, project: Project) -> None:
    text = logged_in.get(PAGE).content.decode()
    assert "No comparisons yet" in text and "/p/demo/import/" in text and 'id="filters"' not in text


def test_a_filter_without_rows_can_be_taken_away(logged_in: Client, comparison: Comparison) -> None:
    text = logged_in.get(PAGE, {"source": "elsewhere", "min_strength": "0.5"}).content.decode()
    assert "No row is like this" in text and "source elsewhere" in text and "strength +0.50 to any" in text


def test_a_filter_that_cannot_be_read_is_a_page_that_says_so(logged_in: Client, comparison: Comparison) -> None:
    assert logged_in.get(PAGE, {"min_strength": "strong"}).status_code == 422


def test_pages_follow_each_other_with_the_filter(logged_in: Client, make_comparison: MakeComparison) -> None:
    for _ in range(51):
        make_comparison(-1)
    first = logged_in.get(PAGE, {"label": "a"})
    following = first.context["page"].next
    assert f"?label=a&amp;cursor={following}" in first.content.decode()
    rest = fragment(logged_in, PAGE, "rows", label="a", cursor=following)
    assert rest.count('class="row"') == 1 and "<html" not in rest


def test_the_list_costs_the_same_statements_for_one_row_and_for_fifty(
    logged_in: Client, make_comparison: MakeComparison, vote: Callable[..., Signal], django_assert_num_queries: Any
) -> None:
    vote(make_comparison(1), 0.5)
    with CaptureQueriesContext(connection) as one:
        fragment(logged_in, PAGE, "rows")
    for _ in range(49):
        vote(make_comparison(1), 0.5)
    with django_assert_num_queries(len(one)):
        fragment(logged_in, PAGE, "rows")


def test_the_reading_pane_shows_both_sides_and_both_opinions(
    logged_in: Client, comparison: Comparison, agree: Callable[..., Consensus]
) -> None:
    agree(comparison, 2)
    text = fragment(logged_in, f"{PAGE}{comparison.pk}/", "pane")
    assert comparison.response_a.content in text and comparison.response_b.content in text
    assert "majority, 3 votes" in text and "No votes yet." in text and "<html" not in text


def test_markdown_is_rendered_and_html_is_not(logged_in: Client, make_comparison: MakeComparison) -> None:
    row = make_comparison(content_a="**bold** <script>alert(1)</script>")
    text = logged_in.get(f"{PAGE}{row.pk}/").content.decode()
    assert "<strong>bold</strong>" in text and "<script>alert" not in text


def test_one_decision_answers_with_the_row_and_its_undo(logged_in: Client, comparison: Comparison) -> None:
    response = decide(logged_in, ids=[comparison.pk], action="flip")
    text = response.content.decode()
    batch = DecisionBatch.objects.get()
    assert response["HX-Trigger"] == "row-decided"
    assert f'id="row-{comparison.pk}"' in text and 'hx-swap-oob="true"' in text and "B better" in text
    assert f"/p/demo/decisions/{batch.pk}/undo/" in text
    undone = logged_in.post(f"/p/demo/decisions/{batch.pk}/undo/", headers={"hx-request": "true"})
    assert "Taken back: flip on 1 row." in undone.content.decode() and "A better" in undone.content.decode()
    assert not Decision.objects.filter(is_current=True).exists()


def test_many_rows_ask_for_a_reason(logged_in: Client, make_comparison: MakeComparison) -> None:
    ids = [make_comparison(1).pk for _ in range(3)]
    refused = decide(logged_in, ids=ids, action="drop")
    assert refused.status_code == 422 and "Say why" in refused.content.decode()
    assert not Decision.objects.exists()
    done = decide(logged_in, ids=ids, action="drop", reason="spam")
    assert "Drop: 3 rows, “spam”." in done.content.decode()


def test_every_row_of_a_filter_is_decided_if_there_are_as_many_as_shown(
    logged_in: Client, make_comparison: MakeComparison
) -> None:
    for label in (1, 1, -1):
        make_comparison(label)
    shown = logged_in.get(f"{PAGE}every/", {"label": "b"}).content.decode()
    assert "All <strong>2</strong> rows" in shown and 'value="label=b"' in shown
    body = {"every": "true", "filter": "label=b", "action": "drop", "reason": "spam"}
    assert "now holds for 2 rows" in decide(logged_in, **body, expected=5).content.decode()
    assert decide(logged_in, **body, expected=2).status_code == 200
    assert set(Decision.objects.values_list("comparison__label", flat=True)) == {1}


def test_a_row_without_a_label_is_refused_in_place(logged_in: Client, make_comparison: MakeComparison) -> None:
    refused = decide(logged_in, ids=[make_comparison(None).pk], action="keep")
    assert refused.status_code == 422 and "no label of their own" in refused.content.decode()


def test_without_script_the_buttons_still_decide(logged_in: Client, comparison: Comparison) -> None:
    response = logged_in.post(f"{PAGE}decide/", {"ids": [comparison.pk], "action": "drop"}, follow=True)
    assert "Decided: 1 rows." in response.content.decode()


def test_a_comparison_tells_its_life(
    logged_in: Client, comparison: Comparison, vote: Callable[..., Signal], project: Project
) -> None:
    vote(comparison, 1.5)
    decide(logged_in, ids=[comparison.pk], action="flip", reason="B answers")
    text = logged_in.get(f"{PAGE}{comparison.pk}/").content.decode()
    for event in ("Imported", "Row 1 of helpful, A better", "model_vote looked at it", "decided flip, B better"):
        assert event in text
    assert "B answers" in text and "Mark differences" in text


def test_a_comparison_is_found_only_under_its_own_project(
    logged_in: Client, comparison: Comparison, curator: User
) -> None:
    other = Project.objects.create(slug="other", name="Other")
    curator.memberships.create(project=other, role="curator")
    assert logged_in.get(f"/p/other/comparisons/{comparison.pk}/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_others_see_no_page_and_decide_nothing(
    client: Client, comparison: Comparison, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    for path in ("", "histogram/", "every/", f"{comparison.pk}/"):
        assert client.get(PAGE + path).status_code == status
    assert decide(client, ids=[comparison.pk], action="drop").status_code == status
    assert not Decision.objects.exists()


def test_reading_never_decides(logged_in: Client, comparison: Comparison) -> None:
    assert logged_in.get(f"{PAGE}decide/").status_code == 405
