"""The desk in a real browser: first paint, key to next item on the screen, and what 300 items leave in the page.

One annotator on the bundled sample's own texts, gunicorn as `manage.py up` starts it, Chromium and server on the same
cores. Times are the browser's own: from the key's time stamp to the first moment after the paint of the next item.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.bed import make_bed

ROOT = Path(__file__).resolve().parents[1]
LOADS = 20
ITEMS = 300
# The items at which the page is measured; at the first it is warm.
MEASURED_AT = (20, 100, 200, 300)
# Of bytes and of nodes, beside what is at the first: more is a leak.
MOST_GROWTH = 1.25
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]

WATCH_FIRST_ITEM = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#item .item")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.itemShownAt = performance.now(); }, 0));
}).observe(document, { subtree: true, childList: true });
"""
IN_SIGHT = "of these in the document"
COUNT_NODES = """() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let count = 1;
  while (walker.nextNode()) count += 1;
  return count;
}"""
WATCH_EACH_ITEM = """() => {
  window.times = [];
  let pressedAt = null;
  addEventListener("keydown", (event) => { if (event.key === "Enter") pressedAt = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (pressedAt === null) return;
    const from = pressedAt;
    pressedAt = null;
    requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - from), 0));
  }).observe(document.getElementById("item"), { childList: true });
}"""


def main(items: int = ITEMS, loads: int = LOADS) -> None:
    home = make_bed()
    campaign, session = _campaign(items + 5)
    with _server(home) as url, sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        if not Path(found).exists():
            print("  No Chromium here: install the package `chromium`, or run `playwright install chromium`.")
            return
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        address = f"{url}/p/{campaign.project.slug}/campaigns/{campaign.id}/judge/"
        _first_paint(browser, address, session, loads)
        _session(browser, address, session, items)
        browser.close()
    _nothing_lost(campaign, items)


def _first_paint(browser: Browser, address: str, session: dict[str, str], loads: int) -> None:
    """With nothing in the browser's cache."""
    paints, items = [], []
    for _ in range(loads):
        page = _open(browser, address, session)
        page.wait_for_function("() => window.itemShownAt")
        entries = page.evaluate("performance.getEntriesByType('paint').map((entry) => [entry.name, entry.startTime])")
        paints.append(dict(entries)["first-contentful-paint"])
        items.append(page.evaluate("window.itemShownAt"))
        page.context.close()
    _show(f"first paint, empty cache (n = {loads})", paints)
    _show(f"first item on the screen (n = {loads})", items)


def _session(browser: Browser, address: str, session: dict[str, str], items: int) -> None:
    page = _open(browser, address, session)
    page.wait_for_function("() => window.itemShownAt")
    page.evaluate(WATCH_EACH_ITEM)
    measured: dict[int, dict[str, float]] = {}
    started = time.perf_counter()
    for number in range(1, items + 1):
        page.keyboard.press(str(number % 8))
        page.keyboard.press("Enter")
        page.wait_for_function("(count) => window.times.length === count", arg=number)
        if number in {*MEASURED_AT, items}:
            measured[number] = _measured(page)
    took = time.perf_counter() - started
    _show(f"Enter to the next item painted (n = {items})", page.evaluate("window.times"))
    print(
        f"  {items} items by keyboard alone in {took:.0f} s; what is in the page after a garbage collection, by item:"
    )
    _show_growth(measured)
    page.context.close()


def _open(browser: Browser, address: str, session: dict[str, str]) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": session["key"], "domain": "127.0.0.1", "path": "/"}])
    page = context.new_page()
    page.add_init_script(WATCH_FIRST_ITEM)
    page.goto(address)
    return page


def _show_growth(measured: dict[int, dict[str, float]]) -> None:
    numbers = list(measured)
    print(f"    {'':<24}" + "".join(f"{number:>12}" for number in numbers))
    for name in next(iter(measured.values())):
        values = [measured[number][name] for number in numbers]
        print(
            f"    {name:<24}" + "".join(f"{value:>12,.0f}" for value in values) + f"   x {values[-1] / values[0]:.2f}"
        )
    first, last = measured[numbers[0]], measured[numbers[-1]]
    leaks = [name for name in first if last[name] > MOST_GROWTH * first[name] and name != IN_SIGHT]
    print(f"  memory growth in the page: {', '.join(leaks) or 'none'} (more than x {MOST_GROWTH} would be one)")


def _measured(page: Page) -> dict[str, float]:
    """After a garbage collection. The nodes in sight differ from item to item; those kept besides must not pile up."""
    devtools = page.context.new_cdp_session(page)
    for _ in range(3):
        devtools.send("HeapProfiler.collectGarbage")
    counters = devtools.send("Memory.getDOMCounters")
    used = devtools.send("Runtime.getHeapUsage")["usedSize"]
    devtools.detach()
    return {
        "bytes of heap": used,
        "event listeners": counters["jsEventListeners"],
        "nodes": counters["nodes"],
        IN_SIGHT: page.evaluate(COUNT_NODES),
    }


def _show(name: str, milliseconds: list[float]) -> None:
    p50, p95, worst = np.percentile(milliseconds, [50, 95, 100])
    print(f"  {name:<44} p50 {p50:6.0f} ms   p95 {p95:6.0f} ms   most {worst:6.0f} ms", flush=True)


def _campaign(least: int) -> tuple[Any, dict[str, str]]:
    from django.test import Client

    from accounts.models import Membership, Project, Role, User
    from annotation.campaigns.create import create_campaign
    from corpus import sample

    annotator = User.objects.create_user("desk@bench.example", "a pass phrase of the bench")
    project = Project.objects.create(slug="desk", name="The desk")
    Membership.objects.create(user=annotator, project=project, role=Role.ANNOTATOR)
    sample.load(project)
    campaign = create_campaign(project=project, name="At the desk")
    if campaign.task_count < least:
        raise RuntimeError(f"the sample has {campaign.task_count} pairs, and {least} are needed")
    client = Client()
    client.force_login(annotator)
    return campaign, {"key": client.cookies["sessionid"].value}


@contextmanager
def _server(home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "WINNOW_PORT": str(port),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:winnow.web_server", "winnow.wsgi:application"]
    with open(home / "desk.log", "w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            _wait_until_up(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_up(port: int) -> None:
    for _ in range(300):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("gunicorn did not come up within 30 s")


def _nothing_lost(campaign: Any, items: int) -> None:
    from annotation.models import Judgment

    held = Judgment.objects.filter(campaign=campaign)
    doubled = held.count() - held.values("assignment").distinct().count()
    print(f"  judgments lost: {items - held.count() + doubled} (must be 0), doubled: {doubled} (must be 0)")
