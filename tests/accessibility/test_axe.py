"""Every page at the width of a desk and of a phone, light and dark: no fault, no error, nothing out of sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern
from playwright.sync_api import BrowserContext, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.accessibility.conftest import Filled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# What a page does after its size has changed is done.
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PageAs = Callable[[User], Page]
DESK, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
# What answers with no page of its own: parts of a page, redirects, machines' addresses, and what takes a POST only.
NO_PAGES = {
    "", "winnow:palette", "account_inactive", "account_reset_password_done", "account_reset_password_from_key_done",
    "accounts:member_role", "accounts:member_remove", "accounts:invitation_create", "accounts:invitation_revoke",
    "accounts:token_revoke", "ledger:cancel", "ledger:resume", "corpus:import_confirm", "annotation:campaign_state",
    "annotation:campaign_kind", "annotation:campaign_preset", "annotation:campaign_figures",
    "annotation:campaign_agreement_figures", "annotation:campaign_adjudication",
    "annotation:campaign_adjudication_undo",
    "annotation:campaign_priorities", "annotation:campaign_order", "annotation:campaign_extend",
    "annotation:campaign_give_back",
    "annotation:campaign_flag_resolve", "annotation:campaign_invite",
    "annotation:campaign_fit", "annotation:campaign_change", "annotation:campaign_gold_add",
    "annotation:campaign_gold_remove", "annotation:campaign_seat",
    "annotation:rubric_preview", "annotation:rubric_import", "annotation:rubric_export", "annotation:rubric_use",
    "curation:overview_figures", "curation:histogram", "curation:every", "curation:decide", "curation:undo",
    "curation:review_left", "curation:review_decide", "curation:review_undo", "curation:run_examples",
    "curation:recipe_preview", "curation:recipe_undo", "curation:wording_preview",
    "curation:model_server_remove",
    "curation:audit_policy", "curation:audit_undo", "curation:audit_finish", "curation:audit_cancel",
    "curation:probe_override",
}  # fmt: skip
NOBODYS = {"account_login", "account_reset_password"}
# Not drawn from the sample: an import's page is walked in tests/corpus.
ELSEWHERE = {"corpus:import_run", "annotation:answer"}


def owners_pages(filled: Filled) -> dict[str, str]:
    """By name of the route."""
    by_arguments: list[tuple[list[object], str]] = [
        ([], "winnow:home accounts:project_new accounts:tokens account_logout account_change_password"),
        ([], "annotation:keys"),
        ([filled.invitation], "accounts:invitation"),
        (["demo"], "accounts:people accounts:settings ledger:runs corpus:import corpus:sources annotation:annotate"),
        (["demo"], "annotation:campaigns annotation:campaign_new annotation:history curation:overview"),
        (["demo"], "curation:comparisons curation:review curation:methods curation:recipes curation:recipe_fields"),
        (["demo"], "curation:releases curation:audits curation:probes curation:wordings curation:model_servers"),
        (["demo", "follow_ups"], "curation:wording"),
        (["demo", filled.audited.pk], "curation:audit"),
        (["demo", filled.auditing.pk], "curation:audit_label"),
        (["demo"], "annotation:rubrics annotation:rubric_new"),
        (["demo", filled.rubric.pk], "annotation:rubric"),
        (["demo", filled.voted.pk], "ledger:run"),
        (["demo", filled.simulated.pk], "annotation:campaign annotation:campaign_agreement annotation:campaign_work"),
        (["demo", filled.simulated.pk], "annotation:campaign_adjudicate annotation:campaign_settings"),
        (["demo", filled.simulated.pk], "annotation:campaign_votes"),
        (["demo"], "annotation:campaign_votes_import"),
        (["demo", filled.brought.pk], "annotation:campaign_votes_run"),
        (["demo", filled.simulated.pk], "annotation:campaign_people"),
        (["demo", filled.simulated.pk, filled.simulated_person.pk], "annotation:campaign_person"),
        (["demo"], "annotation:my_work"),
        (["demo", filled.campaign.pk], "annotation:judge annotation:campaign_quality"),
        (["demo", filled.hostile.pk], "curation:comparison"),
        (["demo", "model_vote"], "curation:method"),
        (["demo", "starter"], "curation:recipe curation:recipe_gain"),
        (["demo", "v1"], "curation:release"),
    ]
    return {name: reverse(name, args=arguments) for arguments, names in by_arguments for name in names.split()}


def problems_of(page: Page, address: str) -> Iterator[str]:
    """Opens the page once; what is dark or narrow is the same page, restyled."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    page.goto(address)
    if page.locator("[hx-trigger^=load], [aria-busy=true]").count():
        page.wait_for_load_state("networkidle")
    yield from _violations(page, f"{address} at 1440")
    page.emulate_media(color_scheme="dark")
    yield from _violations(page, f"{address} in the dark", ["color-contrast"])
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    page.evaluate(TWO_FRAMES)
    yield from _violations(page, f"{address} at 390")
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        yield f"{address} at 390: {width} wide"
    yield from (f"{address}: console says {error}" for error in errors)


def _violations(page: Page, where: str, rules: list[str] | None = None) -> Iterator[str]:
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    for violation in Axe().run(page, options=options).response["violations"]:
        nodes = [f"{node['html'][:200]} ({node['failureSummary'][:200]})" for node in violation["nodes"][:3]]
        yield f"{where}: {violation['id']}, {violation['help']}: " + "; ".join(nodes)


def route_names(patterns: Iterable[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "api":
                yield from route_names(entry.url_patterns, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry.pattern, RoutePattern):
            name = f"{space}{entry.name or ''}"
            if not name.startswith("api"):
                yield name


def test_nothing_is_out_of_reach_for_people(filled: Filled, page_as: PageAs, live_server: LiveServer) -> None:
    pages = owners_pages(filled)
    routes = {name for name in route_names(get_resolver().url_patterns) if name.rpartition(":")[2]}
    assert routes - NO_PAGES - NOBODYS - ELSEWHERE == set(pages)

    owner = page_as(filled.owner)
    found: list[str] = []
    for path in pages.values():
        found += problems_of(owner, live_server.url + path)
    assert not found, "\n".join(found)


def test_nothing_is_out_of_reach_for_nobody(db: None, browser_context: BrowserContext, live_server: LiveServer) -> None:
    page = browser_context.new_page()
    walked = [
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/inactive/",
        "/join/unknown/",
        "/nothing/here/",
    ]
    found = [
        problem
        for path in walked
        for problem in problems_of(page, live_server.url + path)
        if "status of 40" not in problem
    ]
    assert not found, "\n".join(found)
