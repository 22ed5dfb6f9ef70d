"""From an empty board to a release that is open for review: the steps of the people, in a browser, with a real worker.

The tests of this module are the steps, in order; a step that fails ends the journey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.pages.browsing import PHONE, Watch, new_context, settled, sign_in
from tests.pages.site import Site

pytestmark = [pytest.mark.pages, pytest.mark.services]

BUILD_MS = 90_000
BROKEN = "gdrive/processed/priority/broken_uploads/cut upload.jsonl.gz"
UNAPPROVED = "unlicensed_forum"
Person = Callable[[str], Page]


@pytest.fixture(scope="module")
def person(browser: Browser, site: Site) -> Iterator[Person]:
    """Handle -> that person's own browser window, signed in once."""
    contexts: dict[str, tuple[BrowserContext, Page]] = {}

    def page_of(handle: str) -> Page:
        if handle not in contexts:
            context = new_context(browser)
            page = context.new_page()
            sign_in(page, site.url, handle)
            contexts[handle] = context, page
        return contexts[handle][1]

    yield page_of
    for context, _page in contexts.values():
        context.close()


@pytest.fixture(scope="module")
def watch(person: Person) -> Watch:
    return Watch(person("engineer"))


@pytest.fixture(scope="module")
def address(site: Site, person: Person, watch: Watch) -> str:
    """Build a candidate from the board and watch it become blocked, without a reload by hand."""
    page = person("engineer")
    expect(page.get_by_role("heading", name="No release yet.")).to_be_visible()
    page.get_by_role("button", name="Build a candidate").click()
    page.wait_for_url(re.compile(r"/releases/v[\d.-]+/$"))
    expect(page.locator("#live[hx-get]")).to_be_attached()
    expect(page.locator("#state")).to_have_text("blocked", timeout=BUILD_MS)
    expect(page.locator(".tile")).to_have_count(8)
    assert watch.wrong() == []
    return page.url


def test_a_candidate_is_built_from_the_board_and_becomes_blocked_before_the_readers_eyes(
    address: str, person: Person
) -> None:
    page = person("engineer")
    expect(page.locator("#live[hx-get]")).to_have_count(0)  # nothing asks again once nothing moves
    expect(page.locator(".stop.is-blocked")).to_contain_text("Gates")
    expect(page.locator(".tile").nth(0)).to_contain_text("FAIL")
    expect(page.locator(".tile").nth(1)).to_contain_text("FAIL")
    expect(page.locator(".tile").nth(2)).to_contain_text("PASS")


def test_the_first_sentence_names_both_things_that_are_in_the_way(address: str, person: Person) -> None:
    answer = person("engineer").get_by_role("region", name="What is in the way")
    sentence = "2 things are in the way: the gate integrity says FAIL and the gate provenance says FAIL."
    expect(answer.locator("p").first).to_have_text(sentence)
    expect(answer).to_contain_text("cut upload.jsonl.gz")
    expect(answer).to_contain_text(UNAPPROVED)


@pytest.mark.parametrize("handle", ["clinician1", "bias1", "compliance1"])
def test_people_whose_role_may_not_act_see_no_button_for_it(
    address: str, site: Site, person: Person, handle: str
) -> None:
    page = person(handle)
    expect(page.get_by_role("button", name="Build a candidate")).to_have_count(0)
    page.goto(address)
    settled(page)
    expect(page.get_by_role("button", name="Run the gates again")).to_have_count(0)
    page.goto(f"{address}gates/integrity/")
    expect(page.get_by_text("a dataset engineer decides")).to_have_count(1)
    expect(page.locator("main form")).to_have_count(0)
    page.goto(f"{site.url}/catalog/")
    expect(page.get_by_role("button", name=f"Exclude {UNAPPROVED}")).to_have_count(int(handle == "compliance1"))


def test_search_and_filter_are_in_the_address_and_survive_a_reload(address: str, site: Site, person: Person) -> None:
    page = person("engineer")
    page.goto(site.url)
    page.get_by_label("Version or digest").fill("v20")
    page.get_by_label("State").select_option("blocked")
    page.get_by_role("button", name="Filter").click()
    for _once_more in range(2):
        expect(page.get_by_label("Version or digest")).to_have_value("v20")
        expect(page.get_by_label("State")).to_have_value("blocked")
        expect(page.locator(".board .ver")).to_have_count(1)
        page.reload()
    page.get_by_label("State").select_option("published")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No release matches.")).to_be_visible()


def test_the_engineer_excludes_the_broken_file_with_a_reason(address: str, person: Person, watch: Watch) -> None:
    page = person("engineer")
    page.goto(address)
    page.locator(".tile", has_text="integrity").click()
    row = page.locator("tr", has_text=BROKEN).first
    expect(row).to_contain_text("truncated")
    row.get_by_role("button").click()  # without a reason the browser does not let it go
    expect(page.get_by_text("Recorded.")).to_have_count(0)
    row.get_by_label("Exclude, because").fill("Cut off by the upload; the sender has no better copy.")
    row.get_by_role("button").click()
    expect(page.get_by_text("Recorded. Run the gates again when all is decided.")).to_be_visible()
    expect(row).to_contain_text("excluded: Cut off by the upload")
    expect(page.get_by_role("region", name="What is in the way")).to_contain_text("outdated")
    assert watch.wrong() == []


def test_compliance_excludes_the_source_that_nobody_approved(address: str, site: Site, person: Person) -> None:
    page = person("compliance1")
    page.goto(f"{site.url}/catalog/")
    expect(page.get_by_role("region", name="What waits")).to_contain_text(UNAPPROVED)
    page.get_by_role("row", name=re.compile(f"^{UNAPPROVED}")).get_by_label("Because").fill("No licence was granted.")
    page.get_by_role("button", name=f"Exclude {UNAPPROVED}").click()
    expect(page.get_by_text(f"{UNAPPROVED} is recorded as excluded.")).to_be_visible()
    expect(page.get_by_role("region", name="What waits")).to_contain_text("No source waits for a decision.")


def test_the_gates_run_again_on_the_same_bytes_and_open_the_review(address: str, person: Person, watch: Watch) -> None:
    page = person("engineer")
    page.goto(address)
    digest = page.locator(".meta [title^='sha256:']").get_attribute("title")
    page.get_by_role("button", name="Run the gates again").click()
    expect(page.locator("#state")).to_have_text("in review", timeout=BUILD_MS)
    expect(page.locator(".tile", has_text="PASS")).to_have_count(8)
    expect(page.locator(".meta [title^='sha256:']")).to_have_attribute("title", str(digest))
    expect(page.get_by_role("button", name="Run the gates again")).to_have_count(0)
    assert watch.wrong() == []


def test_the_keyboard_reaches_everything_and_skips_to_the_content(address: str, person: Person) -> None:
    page = person("engineer")
    page.goto(f"{address}gates/distribution/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    expect(page.locator(":focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto("about:blank")  # a reload would go on from the content
    page.goto(f"{address}gates/distribution/")
    wanted = page.evaluate(
        "() => { const all = [...document.querySelectorAll("
        "'a[href], button, input:not([type=hidden]), select, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility()); all.forEach((e, i) => e.dataset.at = i); return all.length; }"
    )
    reached = []
    for _tab in range(wanted):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => Number(document.activeElement.dataset.at)"))
    assert reached == list(range(wanted))


def test_the_whole_page_fits_a_phone(address: str, browser: Browser, site: Site) -> None:
    context = new_context(browser, viewport=PHONE)
    page = context.new_page()
    sign_in(page, site.url, "lead")
    page.goto(address)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    context.close()
