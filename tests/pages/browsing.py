"""A page open in headless Chromium without a network, and what it asked for and complained of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

__all__ = ["Seen", "chromium", "shown"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_NOT_DRAWN = "figure.chart:not([data-drawn])"
_PATIENCE_MS = 30_000
_running: list[Browser] = []


@dataclass(frozen=True)
class Seen:
    """A page that is open, and what it did: requests, lines of the console, errors, dialogs."""

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; skip where there is none, or nothing that drives it."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    named = os.environ.get("CIMIS_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium in PATH, and CIMIS_CHROMIUM names none")
    if _running:  # a process can have but one
        yield _running[0]
        return
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        _running.append(browser)
        yield browser
        _running.clear()
        browser.close()


@contextmanager
def shown(browser: Browser, path: Path, width: int = 1280, **context: Any) -> Iterator[Seen]:
    """Open a file with networking off, and wait until its charts are drawn or have failed.

    The browser's clock is Greenwich's, where days of California begin at 8.
    """
    options: dict[str, Any] = {"timezone_id": "Europe/London", "offline": True} | context
    opened = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = opened.new_page()
    seen = Seen(page)
    page.on("request", lambda one: seen.requests.append(one.url))
    page.on("console", lambda one: seen.console.append(f"{one.type}: {one.text}"))
    page.on("pageerror", lambda one: seen.errors.append(str(one)))

    def dismissed(one: Dialog) -> None:
        seen.dialogs.append(one.message)
        one.dismiss()

    page.on("dialog", dismissed)
    page.goto(path.as_uri())
    if options.get("java_script_enabled", True):
        # waiting for a function would evaluate a text, which the page's policy forbids
        from playwright.sync_api import expect

        expect(page.locator(_NOT_DRAWN)).to_have_count(0, timeout=_PATIENCE_MS)
    yield seen
    opened.close()
