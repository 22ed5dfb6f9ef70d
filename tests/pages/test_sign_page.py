"""The page of a signature in a browser: sound in every state, size and theme, and signed by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mhds.demo.accounts import PASSWORD
from tests.pages.browsing import PHONE, Watch, new_context, sign_in
from tests.pages.prepare_signing_names import OUTDATED, UNREAD, WAITING
from tests.pages.site import Site, serving
from tests.pages.test_axe import check, look, violations

pytestmark = [pytest.mark.pages, pytest.mark.services]
FOCUSED = "document.activeElement.id || document.activeElement.getAttribute('role')"
PAGES = {
    "to sign": ("lead", WAITING, "lead"),
    "another's": ("engineer", WAITING, "clinician"),
    "not read yet": ("clinician1", UNREAD, "clinician"),
    "outdated": ("bias2", OUTDATED, "bias_reviewer"),
    "declined": ("clinician1", OUTDATED, "clinician"),
}


@pytest.fixture(scope="module")
def signing_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("signing"), "empty") as found:
        found.run("-m", "tests.pages.prepare_signing")
        yield found


@pytest.fixture(scope="module")
def sessions(browser: Browser, signing_site: Site) -> dict[str, Path]:
    kept: dict[str, Path] = {}
    for handle in ("engineer", "lead", "clinician1", "bias1", "bias2"):
        context = new_context(browser)
        sign_in(context.new_page(), signing_site.url, handle)
        kept[handle] = signing_site.data_dir / f"session-{handle}.json"
        context.storage_state(path=kept[handle])
        context.close()
    return kept


def address(site: Site, version: str, meaning: str) -> str:
    return f"{site.url}/releases/{version}/sign/{meaning}/"


def opened(browser: Browser, site: Site, state: Path, version: str, meaning: str) -> tuple[Page, Watch]:
    page = new_context(browser, storage_state=state).new_page()
    watch = Watch(page)
    page.goto(address(site, version, meaning))
    return page, watch


def tab_to(page: Page, identity: str) -> None:
    """By Tab alone; fails where the control cannot be reached."""
    for _step in range(60):
        if page.evaluate("document.activeElement.id") == identity:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{identity} is not reached by Tab")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_sound_in_both_themes_and_both_widths(
    browser: Browser, signing_site: Site, sessions: dict[str, Path], name: str
) -> None:
    who, version, meaning = PAGES[name]
    check(browser, address(signing_site, version, meaning), 200, sessions[who])


def test_the_rounds_show_the_signatures(browser: Browser, signing_site: Site, sessions: dict[str, Path]) -> None:
    page = new_context(browser, storage_state=sessions["bias1"]).new_page()
    watch = Watch(page)
    page.goto(f"{signing_site.url}/releases/{WAITING}/reviews/")
    expect(page.get_by_role("link", name="Sign as bias reviewer")).to_be_visible()
    assert violations(page) == []
    assert watch.wrong() == []
    page.context.close()


def test_an_error_takes_the_focus_and_keeps_what_was_typed(
    browser: Browser, signing_site: Site, sessions: dict[str, Path]
) -> None:
    page, watch = opened(browser, signing_site, sessions["lead"], WAITING, "lead")
    page.get_by_label("I approve this release for publication").check()
    page.get_by_label("In what capacity").select_option("As release lead")
    page.locator("#notes").fill("read twice")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign as lead").click()
    expect(page.get_by_text("The password is not right.").first).to_be_visible()
    assert page.evaluate(FOCUSED) == "password"
    assert page.locator("#notes").input_value() == "read twice"
    assert page.get_by_label("Password").input_value() == ""
    assert page.get_by_label("I approve this release for publication").is_checked()
    for size in ({"width": 1440, "height": 900}, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of the two sizes
        look(page, size["width"])
    assert watch.wrong(status=403) == []
    page.context.close()


def test_the_button_names_the_act_and_the_digest_is_copied(
    browser: Browser, signing_site: Site, sessions: dict[str, Path]
) -> None:
    page, watch = opened(browser, signing_site, sessions["lead"], WAITING, "lead")
    short = (page.locator("#digest b").text_content() or "").replace(" ", "")
    expect(page.locator("main .btn--primary")).to_have_text(f"Sign as lead {WAITING} ({short})")
    page.get_by_label("I decline").check()
    expect(page.locator("main .btn--primary")).to_have_text(f"Decline as lead {WAITING} ({short})")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#copied")).to_have_text("copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("[data-copy]").get_attribute("data-copy")
    assert watch.wrong() == []
    page.context.close()


def test_a_person_signs_and_withdraws_by_keyboard_alone(
    browser: Browser, signing_site: Site, sessions: dict[str, Path]
) -> None:
    page, watch = opened(browser, signing_site, sessions["bias1"], WAITING, "bias_reviewer")
    tab_to(page, "decision-1")
    page.keyboard.press("Space")
    tab_to(page, "capacity")
    page.keyboard.type("As bias reviewer")
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You signed as bias reviewer")).to_be_visible()
    assert violations(page) == []
    tab_to(page, "w-reason")
    page.keyboard.type("one more look")
    tab_to(page, "w-password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You withdrew what you signed as bias reviewer.")).to_be_visible()
    assert watch.wrong() == []
    page.context.close()
