"""The pairwise desk with everything it can ask, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Draft, Judgment
from corpus.models import Comparison

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
Open = Callable[..., Page]
expect.set_options(timeout=15_000)

ALL: dict[str, Any] = {
    "both_good": True,
    "dimensions": [
        {"name": "helpful", "question": "Which is more helpful?"},
        {"name": "harmless", "question": "Which is less harmful?"},
    ],
    "tags": ["correct", "shorter", "better style"],
    "tags_required": True,
    "reason": "required",
    "min_reason_characters": 10,
    "highlights": "on",
    "ideal": "required",
}
FIRST = "# A heading\r\n\r\nThe **quick** fox 🦊 runs. It *never* stops.\r\n\r\n- one thing\r\n- another thing\r\n"
SECOND = "\nFoxes run. Foxes run. That is all."


@pytest.fixture
def open_desk(
    page_as: Pages, live_server: LiveServer, annotator: User, project: Project, comparisons: list[Comparison]
) -> Open:
    comparison = comparisons[0]
    for response, content in ((comparison.response_a, FIRST), (comparison.response_b, SECOND)):
        response.content = content
        response.save()

    def opened(**settings: Any) -> Page:
        campaign = create_campaign(project=project, name="All of it", settings=settings)
        page = page_as(annotator)
        page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return opened


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def side_with(page: Page, content: str) -> str:
    """The letter of the response with that text, as this person sees it."""
    return str(
        page.evaluate(
            "text => [...document.querySelectorAll('.side')].find((s) => s.textContent.includes(text)).dataset.side",
            content,
        )
    )


def highlighted(page: Page, mark: str) -> list[str]:
    """What the page draws as marked."""
    return list(page.evaluate("mark => [...CSS.highlights.get(`marked-${mark}`)].map(String)", mark))


def select(page: Page, words: str, view: str = "rendered", number: int = 0) -> None:
    page.evaluate(
        """([words, view, number]) => {
          const roots = [...document.querySelectorAll(`.side__${view}`)];
          const found = roots.flatMap((root) => {
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            const places = [];
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
              const next = (from) => node.data.indexOf(words, from);
              for (let at = next(0); at >= 0; at = next(at + 1)) places.push([node, at]);
            }
            return places;
          });
          const [node, at] = found[number];
          getSelection().setBaseAndExtent(node, at, node, at + words.length);
        }""",
        [words, view, number],
    )


def stored() -> dict[str, Any]:
    payload: dict[str, Any] = Judgment.objects.get().payload
    return payload


def quoted(payload: dict[str, Any], comparison: Comparison) -> set[tuple[str, str]]:
    contents = {r.id: r.content for r in (comparison.response_a, comparison.response_b)}
    return {(h["mark"], contents[h["response"]][h["start"] : h["end"]]) for h in payload["highlights"]}


def test_everything_is_answered_by_keyboard_alone(open_desk: Open, comparisons: list[Comparison]) -> None:
    desk = open_desk(**ALL)
    letter = side_with(desk, "quick")
    keys(desk, letter, "h", "ArrowDown", "Shift+ArrowRight", "h")
    expect(desk.locator(".pairwise-mark q")).to_have_text("The **quick** fox 🦊 runs. It")
    keys(desk, "h", "Shift+H")
    expect(desk.locator(".pairwise-mark")).to_have_count(2)
    keys(desk, "6", "j", "7", "j", "4", "j", "1", "3", "j")
    expect(desk.locator("#reason")).to_be_focused()
    desk.keyboard.type("Says more.")
    keys(desk, "Escape", "j")
    expect(desk.locator("#ideal")).to_be_focused()
    desk.keyboard.type("A fox runs.")
    keys(desk, "Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")
    payload = stored()
    sign = 1 if Judgment.objects.get().order_shown[0] == comparisons[0].response_a_id else -1
    assert payload["choice"] == 2 * sign
    assert payload["dimensions"] == {"helpful": 3 * sign, "harmless": 0}
    assert payload["tags"] == ["better style", "correct"]
    assert (payload["reason"], payload["ideal"]) == ("Says more.", "A fox runs.")
    assert quoted(payload, comparisons[0]) == {
        ("good", "The **quick** fox 🦊 runs. It"),
        ("bad", "never* stops."),
    }


def test_what_is_missing_is_said_and_focused(open_desk: Open) -> None:
    desk = open_desk(**ALL)
    notice = desk.locator("#notice")
    keys(desk, "Enter")
    expect(notice).to_contain_text("Choose an answer first.")
    keys(desk, "1", "Enter")
    expect(notice).to_contain_text("Which is more helpful?")
    keys(desk, "2", "Enter")
    expect(notice).to_contain_text("Which is less harmful?")
    keys(desk, "3", "Enter")
    expect(notice).to_contain_text("at least one tag")
    keys(desk, "2", "Enter")
    expect(desk.locator("#reason")).to_be_focused()
    desk.keyboard.type("short")
    keys(desk, "Control+Enter")
    expect(notice).to_contain_text("needs 10 characters, and has 5")
    desk.keyboard.type(" but more")
    keys(desk, "Control+Enter")
    expect(desk.locator("#ideal")).to_be_focused()
    keys(desk, "Tab", "Enter")
    assert desk.locator("#ideal").input_value().replace("\r", "") in {FIRST.replace("\r", ""), SECOND}
    keys(desk, "Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")


def test_a_campaign_without_extras_shows_the_bar_alone(open_desk: Open) -> None:
    desk = open_desk(scale="3-way", tie=False, both_bad=False)
    expect(desk.locator(".answer .step")).to_have_count(2)
    expect(desk.locator(".pairwise-more")).to_have_count(0)
    expect(desk.locator("form.answer textarea")).to_have_count(0)
    keys(desk, "2", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert stored()["preferred"] == Judgment.objects.get().order_shown[1]


def test_one_key_answers_where_the_desk_goes_on_by_itself(open_desk: Open) -> None:
    desk = open_desk(scale="3-way", both_good=True, auto_advance=True)
    keys(desk, "g")
    expect(desk.locator("#count")).to_have_text("2")
    assert stored() == {"choice": "both_good", "preferred": None}


def test_words_of_the_rendered_text_are_found_in_the_text_as_written(
    open_desk: Open, comparisons: list[Comparison]
) -> None:
    desk = open_desk(highlights="on")
    select(desk, "another thing")
    keys(desk, "h")
    select(desk, "heading")
    keys(desk, "Shift+H")
    assert highlighted(desk, "good") == ["another thing"]
    assert highlighted(desk, "bad") == ["heading"]
    select(desk, "Foxes run.", number=1)
    keys(desk, "h")
    keys(desk, "m")
    assert highlighted(desk, "good") == ["another thing", "Foxes run."]
    keys(desk, "d")
    assert highlighted(desk, "bad") == ["heading"]
    keys(desk, "7", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    payload = stored()
    assert quoted(payload, comparisons[0]) == {("good", "another thing"), ("bad", "heading"), ("good", "Foxes run.")}
    assert [h["start"] for h in payload["highlights"] if h["response"] == comparisons[0].response_b_id] == [12]
    assert desk.evaluate("[...CSS.highlights.values()].reduce((count, marks) => count + marks.size, 0)") == 0


def test_what_is_not_there_for_certain_is_asked_for_in_the_text_as_written(
    open_desk: Open, comparisons: list[Comparison]
) -> None:
    comparisons[0].response_a.content = "See [run](https://example.org/run) and run."
    comparisons[0].response_a.save()
    comparisons[0].response_b.content = "[a b](<https://example.org/a b>) and a b"
    comparisons[0].response_b.save()
    desk = open_desk(highlights="on")
    select(desk, "a b", number=1)
    keys(desk, "h")
    expect(desk.locator("#notice")).to_contain_text("select it here once more")
    expect(desk.locator(".side__raw").first).to_be_visible()
    select(desk, "a b", view="raw", number=2)
    keys(desk, "h")
    expect(desk.locator(".pairwise-mark")).to_have_count(1)
    keys(desk, "1", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert [(h["start"], h["end"]) for h in stored()["highlights"]] == [(37, 40)]


def test_marks_are_changed_and_removed_by_key_and_by_pointer(open_desk: Open) -> None:
    desk = open_desk(highlights="on")
    select(desk, "fox 🦊 runs")
    keys(desk, "h")
    select(desk, "🦊")
    keys(desk, "Shift+H")
    assert highlighted(desk, "good") == ["fox", "runs"]
    assert highlighted(desk, "bad") == ["🦊"]
    keys(desk, "Shift+X")
    assert highlighted(desk, "bad") == []
    keys(desk, "Control+z")
    assert highlighted(desk, "bad") == ["🦊"]
    desk.get_by_role("button", name="Remove the good mark on fox").click()
    expect(desk.locator(".pairwise-mark")).to_have_count(2)
    expect(desk.locator(".pairwise-mark button").first).to_be_focused()
    select(desk, "stops")
    desk.get_by_role("button", name="Mark as good").click()
    assert "stops" in highlighted(desk, "good")


def test_a_half_made_answer_with_everything_survives_a_reload(open_desk: Open) -> None:
    desk = open_desk(**ALL)
    select(desk, "Foxes run.")
    keys(desk, "h", "j", "j", "2", "j", "2", "j", "2")
    desk.wait_for_timeout(1000)
    held = Draft.objects.get().payload
    assert (held.get("choice"), held["tags"], len(held["dimensions"])) == (None, ["shorter"], 2)
    desk.evaluate("localStorage.clear()")
    desk.reload()
    expect(desk.locator(".pairwise-mark q")).to_have_text("Foxes run.")
    expect(desk.locator(".pairwise-dimension input:checked")).to_have_count(2)
    expect(desk.locator(".pairwise-tags input:checked")).to_have_count(1)
    assert highlighted(desk, "good") == ["Foxes run."]
