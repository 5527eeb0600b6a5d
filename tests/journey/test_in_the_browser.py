"""The whole journey as a person takes it: log in, judge, vote, apply a recipe, freeze, download, load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datasets import load_dataset
from playwright.sync_api import BrowserContext, Page, expect

from tests.running_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]

EMAIL, PASSWORD = "demo@winnow.example", "a sample of pairs"


def log_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What needs you now")).to_be_visible()


def judge_ten_by_keyboard(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Start judging: Compare responses")).press("Enter")
    for number, key in enumerate("1234567012", start=1):
        expect(page.locator("#count")).to_have_text(str(number))
        expect(page.locator("#prompt")).to_be_focused()
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("11")
    expect(page.locator("#state")).to_have_text("Saved")


def run_method(page: Page, site: Site, method: str) -> None:
    page.goto(f"{site.url}/p/demo/methods/{method}/")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", name="What it found")).to_be_visible(timeout=240_000)


def apply_the_starter_recipe(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/p/demo/recipes/")
    page.get_by_role("button", name="Begin with").click()
    expect(page.locator("#preview")).to_contain_text("keep")
    page.get_by_role("button", name="Keep and apply").click()
    page.goto(f"{site.url}/p/demo/comparisons/?decision=keep")
    expect(page.locator(".chip--keep").first).to_be_visible()


def freeze(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/p/demo/releases/")
    page.get_by_label("Name").fill("journey")
    page.get_by_role("button", name="Freeze release").click()
    expect(page.get_by_role("heading", name="Load it")).to_be_visible(timeout=120_000)


def test_the_main_job_end_to_end(site: Site, browser_context: BrowserContext, tmp_path: Path) -> None:
    site.manage("load_sample", "--password", PASSWORD)
    page = browser_context.new_page()
    log_in(page, site)
    judge_ten_by_keyboard(page)
    run_method(page, site, "near_duplicates")
    run_method(page, site, "model_vote")
    apply_the_starter_recipe(page, site)
    freeze(page, site)
    row = page.get_by_role("row").filter(has_text="trl_reward")
    with page.expect_download() as download:
        row.get_by_role("link", name="train").first.click()
    download.value.save_as(tmp_path / "train.parquet")
    rows = load_dataset("parquet", data_files=str(tmp_path / "train.parquet"), cache_dir=str(tmp_path))["train"]
    assert len(rows) > 200
    assert {"chosen", "rejected", "margin"} <= set(rows.column_names)
