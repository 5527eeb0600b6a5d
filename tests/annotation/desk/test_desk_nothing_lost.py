"""What goes wrong around an answer, in a real browser: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim, reclaim_expired
from annotation.desk.judge import submit
from annotation.models import Assignment, AssignmentState, Campaign, Draft, Judgment, Task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
expect.set_options(timeout=15_000)


@pytest.fixture
def campaign(project: Project, grow: Callable[[int], object]) -> Campaign:
    grow(6)
    return create_campaign(project=project, name="Pairs", settings={"reason": "optional"})


@pytest.fixture
def address(live_server: LiveServer, campaign: Campaign) -> str:
    return f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/"


@pytest.fixture
def desk(page_as: Pages, address: str, annotator: User) -> Page:
    return at_the_desk(page_as(annotator), address)


def at_the_desk(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(".item")).to_be_visible()
    return page


def shown(page: Page) -> int:
    return int(page.locator(".item").get_attribute("data-assignment") or 0)


def slots() -> int:
    return sum(task.slots_a_first + task.slots_b_first for task in Task.objects.all())


def test_a_double_enter_and_a_double_click_are_one_answer(desk: Page) -> None:
    desk.keyboard.press("2")
    # Both in one go, before any reply.
    desk.evaluate(
        """() => { for (let n = 0; n < 2; n += 1) document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true })); }"""
    )
    expect(desk.locator("#count")).to_have_text("2")
    desk.keyboard.press("6")
    desk.get_by_role("button", name="Submit").dblclick()
    expect(desk.locator("#count")).to_have_text("3")
    expect(desk.locator("#state")).to_have_text("Saved")
    assert Judgment.objects.count() == 2
    assert slots() == 3


def test_a_held_enter_submits_once(desk: Page) -> None:
    desk.keyboard.press("2")
    desk.keyboard.down("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    desk.keyboard.press("2")
    for _ in range(3):
        desk.keyboard.down("Enter")
    desk.keyboard.up("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.count() == 1


def test_two_tabs_give_one_answer(desk: Page, address: str) -> None:
    other = at_the_desk(desk.context.new_page(), address)
    assert shown(other) == shown(desk)
    first = shown(desk)
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    expect(other.locator("#notice")).to_contain_text("in another tab")
    other.keyboard.press("7")
    other.keyboard.press("Enter")
    expect(other.locator("#notice")).to_contain_text("answered this item with another answer")
    assert [j.assignment_id for j in Judgment.objects.all()] == [first]
    other.get_by_role("button", name="Go on to the next item").click()
    expect(other.locator(f'.item[data-assignment="{shown(desk)}"]')).to_be_visible()
    other.close()
    desk.wait_for_timeout(300)
    assert Assignment.objects.get(id=shown(desk)).state == AssignmentState.CLAIMED


def test_an_expired_lease_that_nobody_took_still_counts(desk: Page, campaign: Campaign) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(minutes=1))
    reclaim_expired(now=timezone.now())
    desk.keyboard.press("3")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.count() == 1


def test_an_expired_lease_that_somebody_took_keeps_what_was_written(
    desk: Page, campaign: Campaign, curator: User
) -> None:
    held = shown(desk)
    desk.keyboard.press("3")
    desk.keyboard.press("c")
    desk.keyboard.type("because it is right")
    expect(desk.locator("#state")).to_have_text("Draft saved")
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(minutes=1))
    theirs = claim(campaign=campaign, annotator=curator)
    assert theirs is not None
    taken = Assignment.objects.get(id=theirs.assignment_id)
    assert taken.task_id == Assignment.objects.get(id=held).task_id
    submit(assignment=taken, payload={"choice": 0})
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#notice")).to_contain_text("others have taken its places")
    expect(desk.locator("#reason")).to_have_value("because it is right")
    assert [j.annotator_id for j in Judgment.objects.all()] == [curator.id]
    desk.get_by_role("button", name="Go on to the next item").click()
    expect(desk.locator(f'.item[data-assignment="{held}"]')).to_have_count(0)
    desk.keyboard.press("3")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.count() == 2


def test_a_reply_that_is_lost_on_the_way_counts_once(desk: Page) -> None:
    def swallow(route: Route) -> None:
        """The server answers, and the browser never hears it."""
        route.fetch()
        route.abort()

    desk.route("**/judgment?html=true", swallow, times=1)
    desk.keyboard.press("5")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    expect(desk.locator("#state")).to_have_text("Saved")
    assert Judgment.objects.count() == 1
    assert slots() == 2


def test_the_network_goes_in_mid_submit_and_comes_back(desk: Page) -> None:
    desk.context.set_offline(True)
    desk.keyboard.press("5")
    desk.keyboard.press("Enter")
    expect(desk.locator("#state")).to_have_text("Offline, 1 waiting")
    expect(desk.locator("#notice")).to_contain_text("kept in this browser")
    desk.keyboard.press("d")
    expect(desk.locator(".side__raw mark").first).to_be_visible()
    assert not Judgment.objects.exists()
    desk.context.set_offline(False)
    expect(desk.locator("#count")).to_have_text("2")
    expect(desk.locator("#state")).to_have_text("Saved")
    assert Judgment.objects.count() == 1


def test_an_answer_that_waits_survives_a_closed_tab(desk: Page, address: str) -> None:
    first = shown(desk)
    desk.context.route("**/judgment?html=true", lambda route: route.abort())
    desk.keyboard.press("6")
    desk.keyboard.press("Enter")
    expect(desk.locator("#state")).to_have_text("Offline, 1 waiting")
    context = desk.context
    desk.close()
    context.unroute_all()
    again = context.new_page()
    again.goto(address)
    expect(again.locator(".item")).to_be_visible()
    assert shown(again) != first
    assert Judgment.objects.get().assignment_id == first


def test_being_logged_out_keeps_the_answer_until_logged_in_again(desk: Page, page_as: Pages, annotator: User) -> None:
    cookies = [cookie for cookie in desk.context.cookies() if cookie["name"] == "sessionid"]
    desk.context.clear_cookies(name="sessionid")
    desk.keyboard.press("6")
    desk.keyboard.press("Enter")
    expect(desk.locator("#notice")).to_contain_text("You are logged out")
    expect(desk.locator("#state")).to_have_text("Offline, 1 waiting")
    assert not Judgment.objects.exists()
    desk.context.add_cookies([{key: cookies[0][key] for key in ("name", "value", "domain", "path")}])  # type: ignore[list-item]  # the same keys
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.count() == 1


def test_a_refused_answer_stays_in_the_form(desk: Page) -> None:
    desk.keyboard.press("6")
    desk.evaluate("document.querySelector('#reason').removeAttribute('maxlength')")
    desk.locator("#reason").fill("x" * 100_000)
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#notice")).to_contain_text("Change it and submit again")
    assert not Judgment.objects.exists()
    assert len(desk.locator("#reason").input_value()) == 100_000
    desk.locator("#reason").fill("shorter")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.get().payload["reason"] == "shorter"


def test_a_newer_draft_from_another_machine_is_offered(desk: Page) -> None:
    desk.keyboard.press("2")
    expect(desk.locator("#state")).to_have_text("Draft saved")
    draft = Draft.objects.get()
    draft.payload, draft.updated_at = {"choice": "both_bad", "reason": "from the laptop"}, timezone.now()
    draft.save()
    desk.reload()
    expect(desk.locator("#notice")).to_contain_text("newer draft of this item was made elsewhere")
    expect(desk.locator('input[data-key="2"]')).to_be_checked()
    desk.get_by_role("button", name="Use that one").click()
    expect(desk.locator('input[data-key="0"]')).to_be_checked()
    expect(desk.locator("#reason")).to_have_value("from the laptop")


def test_a_draft_of_mine_is_not_offered_to_me_again(desk: Page) -> None:
    desk.keyboard.press("2")
    expect(desk.locator("#state")).to_have_text("Draft saved")
    desk.reload()
    expect(desk.locator('input[data-key="2"]')).to_be_checked()
    expect(desk.locator("#notice")).to_be_hidden()


def test_answers_that_are_refused_later_stay_until_thrown_away(desk: Page, address: str) -> None:
    """Two that waited in this browser, for items that are gone."""
    for number in range(2):
        desk.evaluate(
            """(number) => localStorage.setItem(
                `winnow.outbox.${document.getElementById("content").dataset.user}.${number}.x`,
                JSON.stringify({ path: "assignments/999999/judgment", body: { choice: number }, at: number }),
            )""",
            number,
        )
    desk.reload()
    expect(desk.locator(".item")).to_be_visible()
    expect(desk.get_by_text("What was written")).to_be_visible()
    assert desk.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('winnow.outbox')).length") == 0
    desk.reload()
    desk.get_by_role("button", name="Throw it away").click()
    expect(desk.locator("#notice pre")).to_contain_text('"choice": 1')
    desk.get_by_role("button", name="Throw it away").click()
    expect(desk.locator("#notice")).to_be_hidden()
