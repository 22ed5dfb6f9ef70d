"""A browser that notices everything: console errors, violations of the policy, failed requests, pages that overflow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from mhds.demo.accounts import PASSWORD

CHROMIUM = os.environ.get("MHDS_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
_RUNNING: list[Browser] = []
LAPTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
NOTICE = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", e =>
  window.__violations.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The installed chromium; without one the test is skipped, or fails where a browser is required.

    One in a process: whoever asks while it runs shares it.
    """
    if _RUNNING:
        yield _RUNNING[0]
        return
    if not os.access(CHROMIUM, os.X_OK):
        words = f"no chromium at {CHROMIUM}; install it or set MHDS_TEST_CHROMIUM"
        if "browser" in os.environ.get("MHDS_TEST_REQUIRE", "").replace(",", " ").split():
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        _RUNNING.append(playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS))
        try:
            yield _RUNNING[0]
        finally:
            _RUNNING.pop().close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(**{"viewport": LAPTOP, **options})
    context.set_default_timeout(15_000)
    context.add_init_script(NOTICE)
    return context


class Watch:
    """What went wrong on a page since it was last asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._wrong: list[str] = []
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self._wrong.append(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self._wrong.append(f"{kind}: {text}")

    def _failed(self, url: str, why: str) -> None:
        if "ERR_ABORTED" not in why:  # a request that a new page cut short
            self._wrong.append(f"failed: {url} {why}")

    def wrong(self, *, status: int = 200) -> list[str]:
        """Everything noticed; the browser's own line about an expected 403 or 404 of the page is not wrong."""
        seen, self._wrong = self._wrong, []
        violations: list[str] = self.page.evaluate("window.__violations")
        expected = f"the server responded with a status of {status}"
        return [one for one in seen if status == 200 or expected not in one] + violations


def sign_in(page: Page, url: str, handle: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.get_by_label("E-mail").fill(f"{handle}@demo.example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")


def settled(page: Page) -> None:
    """Nothing that the page loads by itself is under way, and the gates have arrived where they belong."""
    page.wait_for_load_state("load")
    page.wait_for_function(
        "() => !document.querySelector('.htmx-request, .htmx-swapping')"
        " && [...document.querySelectorAll('section[hx-trigger=load]')].every(e => e.querySelector('.tiles'))"
    )
