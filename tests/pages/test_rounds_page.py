"""The page of rounds in every state and the pages of findings, in a browser: sound to look at, and used by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.browsing import PHONE, Watch, new_context, sign_in
from tests.pages.rounds_names import DRAWN, FAILED, INCONCLUSIVE, OPENED, PASSED, PLAN, SCORING, UNREADABLE
from tests.pages.site import Site, serving
from tests.pages.test_axe import check, look

pytestmark = [pytest.mark.pages, pytest.mark.services]
# Of states that are made of the same parts, the full suite looks at all.
LOOKED_AT = [
    PLAN, SCORING, INCONCLUSIVE,
    *(pytest.param(one, marks=pytest.mark.slow) for one in (OPENED, DRAWN, UNREADABLE, FAILED, PASSED)),
]  # fmt: skip


@pytest.fixture(scope="module")
def rounds_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("rounds"), "empty") as found:
        found.run("-m", "tests.pages.prepare_rounds", "all")
        yield found


@pytest.fixture(scope="module")
def sessions(browser: Browser, rounds_site: Site) -> dict[str, Path]:
    kept: dict[str, Path] = {}
    for handle in ("lead", "compliance2"):
        context = new_context(browser)
        sign_in(context.new_page(), rounds_site.url, handle)
        kept[handle] = rounds_site.data_dir / f"session-{handle}.json"
        context.storage_state(path=kept[handle])
        context.close()
    return kept


@pytest.fixture
def lead(browser: Browser, sessions: dict[str, Path]) -> Iterator[Page]:
    context = new_context(browser, storage_state=sessions["lead"])
    yield context.new_page()
    context.close()


@pytest.fixture
def compliance(browser: Browser, sessions: dict[str, Path]) -> Iterator[Page]:
    context = new_context(browser, storage_state=sessions["compliance2"])
    yield context.new_page()
    context.close()


def address(site: Site, version: str, more: str = "") -> str:
    return f"{site.url}/releases/{version}/reviews/{more}"


@pytest.mark.parametrize("version", LOOKED_AT)
def test_every_state_is_sound_in_both_themes_and_both_widths(
    browser: Browser, rounds_site: Site, sessions: dict[str, Path], version: str
) -> None:
    check(browser, address(rounds_site, version), 200, sessions["lead"])


def test_the_curve_has_its_table_beside_it_and_the_plans_their_hours(rounds_site: Site, lead: Page) -> None:
    lead.goto(address(rounds_site, PLAN))
    edge = lead.locator("#clinician_edge")
    expect(edge.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("365 records; if 1 of the 365 truly fails")
    )
    edge.get_by_text("Show as table").click()
    expect(edge.get_by_role("row", name="Standard")).to_contain_text("0.")
    expect(edge.get_by_role("radio", name="Standard")).to_be_checked()
    expect(edge.locator(".tier").first).to_contain_text("5.9 h")


def test_a_lead_draws_and_hands_out_by_the_primary_button_on_a_phone(rounds_site: Site, lead: Page) -> None:
    watch = Watch(lead)
    lead.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict
    lead.goto(address(rounds_site, OPENED))
    for _round in range(4):
        lead.locator(".btn--primary").click()
        lead.wait_for_load_state("load")
    expect(lead.locator(".btn--primary")).to_have_text("Assign clinician_foundation")
    lead.locator(".btn--primary").click()
    expect(lead.locator("#clinician_foundation > header")).to_contain_text("scoring")
    look(lead, PHONE["width"])
    assert watch.wrong() == []


def test_compliance_settles_an_escalation_by_keyboard(rounds_site: Site, compliance: Page) -> None:
    compliance.goto(address(rounds_site, SCORING))
    compliance.get_by_label("What was found, and what was done").fill("An adult; the age is a character's in a novel.")
    compliance.keyboard.press("Tab")
    compliance.keyboard.press("Space")
    expect(compliance.get_by_label("Not confirmed")).to_be_checked()
    compliance.get_by_role("button", name="Settle the escalation").press("Enter")
    expect(compliance.get_by_role("status")).to_contain_text("The escalation is settled: not confirmed")
    expect(compliance.locator("#escalations")).to_contain_text("0 of 2 open")


def test_compliance_goes_from_the_gate_to_the_text_and_no_text_goes_into_an_address(
    rounds_site: Site, compliance: Page
) -> None:
    watch = Watch(compliance)
    asked: list[str] = []
    compliance.on("request", lambda request: asked.append(request.url))
    compliance.goto(f"{rounds_site.url}/releases/{PASSED}/gates/privacy/")
    compliance.get_by_role("link", name="Look at the findings").click()
    look(compliance, 1440)
    compliance.get_by_role("link", name="Look around it").first.click()
    expect(compliance.locator("#f-1")).to_contain_text("The card [US_DRIVER_LICENSE, 7 characters] and the slip")
    assert "1234567" not in compliance.content()
    look(compliance, 1440)
    compliance.get_by_label("It must be read in whole, because").fill("is the card real?")
    compliance.get_by_role("button", name="Reveal all turns").click()
    expect(compliance.get_by_role("region", name="Conversation")).to_contain_text("The card 1234567")
    look(compliance, 1440)
    assert "1234567" not in compliance.title()
    assert not [url for url in asked if "1234567" in url or "real" in url]
    assert watch.wrong() == []
