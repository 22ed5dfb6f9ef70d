"""A person before the scoring screen in a browser, for the tests of its keys and of its states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories import PASSWORD
from tests.pages.browsing import Watch, new_context
from tests.pages.site import Site, serving

Opens = Callable[..., Page]


@pytest.fixture(scope="module", name="scoring_site")
def scoring_site_fixture(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("scoring"), "scoring") as found:
        yield found


@pytest.fixture(name="opens")
def opens_fixture(browser: Browser, scoring_site: Site) -> Iterator[Opens]:
    """Opens the next record of one person in one round; whatever was wrong on the page fails the test."""
    made: list[tuple[Any, Watch]] = []

    def open_(who: str, kind: str, **options: Any) -> Page:
        context = new_context(browser, **options)
        page = context.new_page()
        made.append((context, Watch(page)))
        page.goto(f"{scoring_site.url}/sign-in/")
        page.get_by_label("E-mail").fill(f"{who}@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{scoring_site.url}/")
        page.goto(f"{scoring_site.url}/my-work/")
        page.get_by_role("link", name=f"Next record of {kind}").click()
        page.wait_for_selector(".has-script" if options.get("java_script_enabled", True) else "#screen")
        return page

    yield open_
    try:
        for _context, watch in made:
            assert [one for one in watch.wrong() if "status of 4" not in one and "INTERNET" not in one] == []
    finally:
        for context, _watch in made:
            context.close()


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def assignment(page: Page) -> str:
    return str(page.locator("#screen").get_attribute("data-assignment"))


def chosen(page: Page, dimension: str) -> str | None:
    return page.locator(f"[name='score.{dimension}']:checked").get_attribute("value")


def kept(page: Page) -> str:
    return str(page.evaluate("JSON.stringify({...localStorage})"))


def pill(page: Page) -> Any:
    return expect(page.locator("[data-saved]"))


def saved(page: Page) -> None:
    pill(page).to_have_text(re.compile(r"^saved \d\d:\d\d:\d\d$"))


def moved_on(page: Page, before: str) -> None:
    page.wait_for_function("id => document.getElementById('screen')?.dataset.assignment !== id", arg=before)
    page.wait_for_selector(".has-script")
