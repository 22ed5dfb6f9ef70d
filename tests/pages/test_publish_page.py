"""Publishing in a browser: one press, progress that asks again by itself, the release for training. Steps in order."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.browsing import LAPTOP, PHONE, Watch, new_context, sign_in
from tests.pages.site import Site, serving
from tests.pages.test_axe import COLOURS, look, violations

pytestmark = [pytest.mark.pages, pytest.mark.services]
FOCUSED = "document.activeElement.id"
WORK = """
import django; django.setup()
import mhds.handlers
from mhds.models import WorkItem
from mhds.work import run
run.run(WorkItem.objects.get(kind="release.publish").pk)
"""


@pytest.fixture(scope="module")
def own(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("approved"), "approved") as found:
        yield found


@pytest.fixture(scope="module")
def version(own: Site) -> str:
    told: str = json.loads((own.data_dir / "demo.json").read_text(encoding="utf-8"))["releases"]["published"]
    return told


@pytest.fixture(scope="module")
def page(browser: Browser, own: Site) -> Iterator[Page]:
    context = new_context(browser)
    found = context.new_page()
    sign_in(found, own.url, "lead")
    yield found
    context.close()


@pytest.fixture(scope="module")
def watch(page: Page) -> Watch:
    return Watch(page)


def sound(page: Page, watch: Watch) -> None:
    """Nothing for axe to say in either width and theme, nothing wider than the window, one primary button at most."""
    for size in (PHONE, LAPTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of the two sizes
        page.emulate_media(color_scheme="light")
        look(page, size["width"])
        page.emulate_media(color_scheme="dark")
        assert violations(page, COLOURS) == []
    assert watch.wrong() == []


def test_the_board_says_which_release_waits_for_the_lead(page: Page, own: Site, version: str, watch: Watch) -> None:
    page.goto(own.url)
    expect(page.get_by_role("region", name="What waits")).to_contain_text(f"1 release waits for you: {version}")
    expect(page.locator(".board .owner.is-you")).to_have_text("you, release lead who had no hand in it")
    sound(page, watch)


def test_the_release_says_what_is_next_and_leads_there(page: Page, own: Site, version: str, watch: Watch) -> None:
    page.goto(f"{own.url}/releases/{version}/")
    expect(page.locator(".tile").first).to_be_visible()
    sound(page, watch)
    page.get_by_role("link", name="Publish", exact=True).click()
    expect(page.locator(".answer p").first).to_contain_text("Everything that publishing asks for holds")
    sound(page, watch)


def test_one_press_publishes_and_the_page_shows_it_without_a_reload(
    page: Page, own: Site, version: str, watch: Watch
) -> None:
    page.get_by_role("button", name=f"Publish {version}").click()
    expect(page.locator("#publishing .answer")).to_contain_text("a worker takes it up next")
    sound(page, watch)
    page.locator("#folders-table").focus()
    own.run("-c", WORK)
    expect(page.locator("#publishing .answer")).to_contain_text(f"{version} is published")
    expect(page.locator("#state")).to_have_text("published")
    expect(page.locator("#publishing[hx-get]")).to_have_count(0)
    assert page.evaluate(FOCUSED) == "folders-table"
    expect(page.locator("#folders tfoot")).to_contain_text("create-once")
    sound(page, watch)


def test_the_prefix_is_there_to_be_copied(page: Page, own: Site, version: str) -> None:
    expect(page.locator("#prefix")).to_have_text(f"{(own.data_dir / 'bucket').as_uri()}/exports/releases/{version}/")
    expect(page.locator("#publishing")).to_contain_text("mhds-smoke file://")
    expect(page.locator("#publishing")).to_contain_text("Release.open(")
