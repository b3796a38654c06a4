"""The app in a real browser: every page shows its sentence, nothing breaks, and nobody else is asked for anything."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_app import tiny_place

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("app")]
ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
PAGES = {
    "": ("A small desk", "How needs ended", "Side by side"),
    "week": ("The week", "People by group, FTE", "Erlang C"),
    "roster": (
        "The roster",
        "Lock parts and re-plan the rest",
        "Cover and gaps",
        "Rules, as the validator finds them",
    ),
    "mix": ("The right mix", "Automation takes the easy contacts first", "Emotionally intense"),
    "ladder": ("The ladder", "First-contact resolution", "In numbers"),
    "levers": ("Levers one by one", "On top of Empathy-aware", "What stands behind them"),
    "evidence": ("Evidence", "Read one in full", "Today, observed and simulated"),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app's address, served on localhost with a small comparison already made."""
    file, folder = tiny_place()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}"]
    env = {**os.environ, "UNHURRIED_SCENARIO": str(file), "UNHURRIED_RUNS": str(folder)}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(120):
                if server.poll() is not None:
                    log.seek(0)
                    pytest.fail(f"the app did not start: {log.read().decode(errors='replace')[-800:]}")
                try:
                    with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2):
                        break
                except OSError:
                    time.sleep(0.5)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    yield tab
    tab.close()


@pytest.mark.parametrize("path", PAGES)
def test_page_in_a_browser(path: str, address: str, page: Any) -> None:
    hosts: set[str] = set()
    page.on(
        "request",
        lambda request: hosts.add(request.url.split("/")[2]) if request.url.startswith("http") else None,
    )
    page.goto(f"{address}/{path}")
    for text in PAGES[path]:
        page.get_by_text(text).first.wait_for(state="visible", timeout=90_000)
    assert page.locator("[data-testid=stException]").count() == 0
    assert "Traceback" not in page.inner_text("body")
    assert hosts == {address.removeprefix("http://")}, "nothing is fetched from elsewhere"


def test_charts_are_drawn_and_have_words(address: str, page: Any) -> None:
    page.goto(address)
    page.get_by_text("How needs ended").first.wait_for(state="visible", timeout=90_000)
    page.wait_for_selector("[aria-label^='How needs ended']", timeout=30_000)
    charts = page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas")
    charts.nth(3).wait_for(state="attached", timeout=30_000)


def test_numbers_stand_to_the_right_and_words_to_the_left(address: str, page: Any) -> None:
    page.goto(f"{address}/week")
    table = page.locator("table", has=page.get_by_text("Paid, with leave")).first
    table.wait_for(state="visible", timeout=90_000)
    sides = (
        table.locator("tbody tr")
        .first.locator("td")
        .evaluate_all("cells => cells.map(cell => getComputedStyle(cell).textAlign)")
    )
    heads = table.locator("th").evaluate_all("cells => cells.map(cell => getComputedStyle(cell).textAlign)")
    assert sides == heads == ["left", "right", "right", "right", "right", "left", "right"]


def test_a_link_opens_what_it_names(address: str, page: Any) -> None:
    page.goto(f"{address}/?frame=Equal+hours")
    page.get_by_text("with the paid hours of").first.wait_for(state="visible", timeout=90_000)
    assert page.locator("[data-testid=stException]").count() == 0
    page.goto(f"{address}/?with=Busy")
    page.get_by_text("110 %").first.wait_for(state="visible", timeout=60_000)
    page.get_by_text("Nothing has been computed").first.wait_for(state="visible", timeout=60_000)


def test_moving_between_pages_keeps_the_question(address: str, page: Any) -> None:
    page.goto(f"{address}/?with=Busy")
    page.get_by_text("110 %").first.wait_for(state="visible", timeout=90_000)
    page.get_by_role("link", name="Evidence").first.click()
    page.get_by_text("Read one in full").first.wait_for(state="visible", timeout=30_000)
    page.get_by_text("110 %").first.wait_for(state="visible", timeout=30_000)
    assert page.locator("[data-testid=stException]").count() == 0
