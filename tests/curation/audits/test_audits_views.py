"""The pages of audits: drawn, answered blind by keyboard, and the bound at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from curation.models import Audit, AuditAnswer, AuditPolicy, Recipe
from tests.curation.audits.conftest import Check

AUDITS = "/p/demo/audits/"
Draw = Callable[..., Audit]


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def test_the_page_says_which_rules_need_an_audit(logged_in: Client, recipe: Recipe, voted_rows: list[Any]) -> None:
    page = logged_in.get(AUDITS).content.decode()
    assert page.count("unaudited</span>") == 2 and "nobody has checked" in page and "Draw a sample" in page
    assert "no sample of all labels has been checked" in page and "None yet" in page


def test_drawing_leads_to_the_first_pair(logged_in: Client, recipe: Recipe, voted_rows: list[Any]) -> None:
    form = {"recipe": "mine", "rule": "flip", "per_band": 4, "bands": 2, "seed": 1}
    answer = logged_in.post(AUDITS, form)
    audit = Audit.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{AUDITS}{audit.pk}/label/")
    again = logged_in.post(AUDITS, form)
    assert again.status_code == 422 and "open already" in again.content.decode()
    assert logged_in.post(AUDITS, {**form, "per_band": "many"}).status_code == 422


def test_the_pair_tells_neither_label_nor_votes_nor_number(logged_in: Client, draw: Draw) -> None:
    audit = draw()
    page = logged_in.get(f"{AUDITS}{audit.pk}/label/").content.decode()
    item = audit.items.get(position=0)
    main = page[page.index('id="audit"') : page.index("decide__buttons")]
    for hidden in ("label:", "strength", "votes", f"/comparisons/{item.comparison_id}", "incorrect"):
        assert hidden not in main.lower()
    first = item.comparison.response_b if item.is_b_first else item.comparison.response_a
    assert re.search(rf"First</h2>.*?{first.content}", page, re.S)
    assert f'value="{"b" if item.is_b_first else "a"}" data-key="1"' in page


def test_without_script_answers_undo_and_finish_work_too(logged_in: Client, draw: Draw, curator: User) -> None:
    audit = draw(per_band=1)
    label = f"{AUDITS}{audit.pk}/label/"
    for position in (0, 0, 1):
        logged_in.post(label, {"position": position, "answer": "a"})
    assert logged_in.post(f"{AUDITS}{audit.pk}/undo/")["Location"] == label
    assert AuditAnswer.objects.filter(undone_at=None).count() == 1
    assert "somebody" not in logged_in.post(label, {"position": 1, "answer": "b"}, follow=True).content.decode().lower()
    assert "Finish the audit" in logged_in.get(label).content.decode()
    answer = logged_in.post(f"{AUDITS}{audit.pk}/finish/", follow=True)
    page = answer.content.decode()
    assert "lower bound" in page and "n = 2" in page and "First shown" in page
    assert logged_in.get(label)["Location"] == f"{AUDITS}{audit.pk}/"


@pytest.mark.parametrize("position", ["", "x", "99", "9" * 30])
def test_an_answer_to_nothing_is_refused_in_words(logged_in: Client, draw: Draw, position: str) -> None:
    page = logged_in.post(f"{AUDITS}{draw().pk}/label/", {"position": position, "answer": "a"}).content.decode()
    assert "The sample has no item" in page and not AuditAnswer.objects.exists()


def test_an_open_audit_shows_no_result(logged_in: Client, draw: Draw) -> None:
    audit = draw()
    logged_in.post(f"{AUDITS}{audit.pk}/label/", {"position": 0, "answer": "a"})
    page = logged_in.get(f"{AUDITS}{audit.pk}/").content.decode()
    assert "1 of 20 are answered" in page and "P(wrong)" not in page
    logged_in.post(f"{AUDITS}{audit.pk}/cancel/")
    assert "not counted" in logged_in.get(f"{AUDITS}{audit.pk}/").content.decode()


def test_the_preview_and_the_list_tell_the_bound(
    logged_in: Client, draw: Draw, check: Check, recipe: Recipe, project: Project
) -> None:
    audit = check(draw(), wrong=20)
    page = logged_in.get(AUDITS).content.decode()
    assert "P(wrong) 1.00, n = 20, at least 0.86 with 95\N{NO-BREAK SPACE}% confidence; the bound passes 0.5" in page
    assert "audited, on the signals" in logged_in.get(f"{AUDITS}{audit.pk}/").content.decode()
    text = "rules:\n- {name: flip, when: {field: model_vote.strength, op: '<', value: 0}, then: flip}"
    shown = logged_in.post("/p/demo/recipes/mine/preview/", {"text": text}).content.decode()
    assert "chip--keep" in shown and "The bound passes" not in shown and "the bound passes 0.5" in shown


def test_only_an_owner_sets_the_policy(client: Client, curator: User, owner: User, recipe: Recipe) -> None:
    form = {"unaudited": "review", "drop_threshold": "0.5"}
    client.force_login(curator)
    assert client.post(f"{AUDITS}policy/", form).status_code == 403
    assert "An owner of the project can change it" in client.get(AUDITS).content.decode()
    client.force_login(owner)
    client.post(f"{AUDITS}policy/", form)
    assert AuditPolicy.objects.values_list("unaudited", "drop_threshold").get() == ("review", 0.5)
    for bad in ({**form, "drop_threshold": "2"}, {**form, "unaudited": "x"}, {}):
        page = client.post(f"{AUDITS}policy/", bad, follow=True).content.decode()
        assert "threshold" in page and AuditPolicy.objects.get().drop_threshold == 0.5


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_nobody_else_opens_the_pages(
    client: Client, request: pytest.FixtureRequest, draw: Draw, who: str, status: int
) -> None:
    audit = draw()
    client.force_login(request.getfixturevalue(who))
    for path in (AUDITS, f"{AUDITS}{audit.pk}/", f"{AUDITS}{audit.pk}/label/"):
        assert client.get(path).status_code == status


def test_an_audit_of_another_project_is_not_found_here(logged_in: Client, draw: Draw, curator: User) -> None:
    other = Project.objects.create(slug="other", name="Other", created_by=curator)
    other.memberships.create(user=curator, role="curator")
    assert logged_in.get(f"/p/other/audits/{draw().pk}/").status_code == 404


@pytest.mark.browser
def test_a_sample_is_answered_by_keyboard(
    transactional_db: None, draw: Draw, curator: User, page_as: Callable[[User], Page], live_server: LiveServer
) -> None:
    audit = draw(per_band=2)
    page = page_as(curator)
    page.goto(f"{live_server.url}{AUDITS}{audit.pk}/label/")
    for number, key in enumerate("1u1234", start=0):
        page.keyboard.press(key)
        done = [1, 0, 1, 2, 3, 4][number]
        expect(page.locator("#audit [role=status]")).to_have_text(f"{done} of 4 answered")
    expect(page.get_by_role("button", name="Finish the audit")).to_be_visible()
    said = list(AuditAnswer.objects.filter(undone_at=None).order_by("item__position").values_list("answer", flat=True))
    first, second = audit.items.order_by("position")[:2]
    assert said == ["b" if first.is_b_first else "a", "a" if second.is_b_first else "b", "tie", "unsure"]
    page.get_by_role("button", name="Finish the audit").click()
    expect(page.get_by_text("labels wrong", exact=True)).to_be_visible()
