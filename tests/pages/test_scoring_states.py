"""The scoring screen offline, stale, veiled, escalated, without script: nothing is lost, no text is kept."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import LAPTOP, PHONE
from tests.pages.reviewer import (
    Opens,
    assignment,
    kept,
    moved_on,
    opens_fixture,  # noqa: F401  pytest finds it by its name
    pill,
    press,
    saved,
    scoring_site_fixture,  # noqa: F401
)
from tests.pages.test_axe import INLINE, OVERFLOW, violations

pytestmark = [pytest.mark.pages, pytest.mark.services]


def test_an_escalation_hides_the_text_at_once_and_goes_on(opens: Opens) -> None:
    page = opens("clinician3", "clinician_foundation")
    before, url = assignment(page), page.url
    press(page, "e")
    page.get_by_label("A minor is concerned").check()
    page.locator("#escalate-reason").fill("The person says that they are fifteen.")
    page.evaluate("() => { window.fetch = () => new Promise(() => { }) }")  # the answer never comes
    page.get_by_role("button", name="Escalate this record").click()
    expect(page.locator(".turn-text").first).to_be_hidden()
    page.reload()
    page.wait_for_selector(".has-script")
    press(page, "e")
    page.get_by_label("A minor is concerned").check()
    page.locator("#escalate-reason").fill("The person says that they are fifteen.")
    page.get_by_role("button", name="Escalate this record").click()
    moved_on(page, before)
    assert page.goto(url).status == 403  # type: ignore[union-attr]  # a page always answers here


def test_a_draft_saved_elsewhere_leaves_the_choice_to_the_person(opens: Opens) -> None:
    page = opens("bias1", "bias_foundation")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".has-script")
    press(page, "3")
    saved(page)
    press(other, "1")
    expect(other.get_by_role("button", name="Load the other")).to_be_visible()
    other.get_by_role("button", name="Keep this one").click()
    saved(other)
    press(page, "2")
    page.get_by_role("button", name="Load the other").click()
    page.wait_for_selector(".has-script")
    first = page.locator(".dim").first.locator("input:checked")
    expect(first).to_have_value("1")


def test_a_score_that_the_server_refuses_brings_its_record_back_with_the_choice(opens: Opens) -> None:
    page = opens("bias1", "bias_foundation")
    before, dims = assignment(page), page.locator(".dim").count()
    press(page, "2 " * dims + "n")
    saved(page)
    page.wait_for_timeout(800)  # the next one is there, and will be shown first
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".has-script")
    press(other, "ArrowUp ArrowUp 3")
    saved(other)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep this one")).to_be_visible()
    assert assignment(page) == before
    assert page.locator(".dim input:checked").count() == dims
    page.get_by_role("button", name="Keep this one").click()
    moved_on(page, before)
    saved(page)


def test_an_error_of_the_script_after_enter_costs_no_score(opens: Opens) -> None:
    page = opens("bias1", "bias_foundation")
    done = int(page.locator("[data-done]").inner_text())
    press(page, "2 " * page.locator(".dim").count() + "n")
    saved(page)
    page.wait_for_timeout(800)
    page.evaluate("() => { history.replaceState = () => { throw new Error('broken') } }")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("my-work"))
    expect(page.locator(".answer").first).to_contain_text(f"{done + 1} of")


def test_offline_everything_is_kept_here_and_goes_out_when_the_connection_is_back(opens: Opens) -> None:
    page = opens("bias2", "bias_foundation")
    texts = page.locator(".turn-text").all_inner_texts()
    page.wait_for_timeout(800)  # the next two are read ahead
    page.context.set_offline(True)
    press(page, "2")
    pill(page).to_have_text("offline, 1 kept here")
    assert '"2"' in kept(page).replace("\\", "")
    assert not any(text[:30] in kept(page) for text in texts)
    before = assignment(page)
    for _ in range(page.locator(".dim").count() - 1):
        press(page, "2")
    press(page, "n Enter")
    moved_on(page, before)
    pill(page).to_have_text("offline, 1 kept here")
    page.context.set_offline(False)
    saved(page)
    assert kept(page) == "{}"
    page.goto(page.url.replace(assignment(page), before))
    expect(page.get_by_text("not waiting for you any more")).to_be_visible()


def test_what_was_left_by_a_closed_window_comes_back_and_sign_out_clears_it(opens: Opens) -> None:
    page = opens("bias2", "bias_foundation")
    page.context.set_offline(True)
    press(page, "1")
    pill(page).to_have_text(re.compile("offline"))
    page.context.set_offline(False)
    saved(page)
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError()) }")
    press(page, "1")
    page.reload()
    page.wait_for_selector(".has-script")
    saved(page)
    assert page.locator(".dim input:checked").count() >= 1
    page.evaluate("localStorage.setItem('mhds.journal.someone.x', '{}')")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("sign-in"))
    assert kept(page) == "{}"


def tagged(page: Page) -> Page:
    """On to the first record that stands veiled; the edge round holds two."""
    for _ in range(8):
        page.wait_for_selector(".has-script")
        if page.locator("[data-veil-head]").count():
            return page
        before = assignment(page)
        press(page, "2 2 2 2 2 2 2 2 n Enter")
        moved_on(page, before)
    raise AssertionError("no tagged record in this person's round")


def test_a_tagged_record_is_veiled_turn_by_turn_with_its_tags_before_the_text(opens: Opens) -> None:
    page = tagged(opens("clinician3", "clinician_edge"))
    expect(page.locator("[data-veil-head]")).to_contain_text("suicid")
    assert page.locator(".turn-text").count() == 0
    assert "want to end my life" not in page.locator("body").inner_text()
    assert violations(page) == []
    turns = page.locator(".turn").count()
    press(page, "j Space")
    assert page.locator(".turn-text").count() == 1
    expect(page.locator("#t2 .turn-text")).to_be_visible()
    press(page, "v")
    assert page.locator(".turn-text").count() == turns
    expect(page.locator("[data-veil-head]")).to_be_hidden()


def test_without_script_the_plain_form_scores_and_a_veiled_record_can_be_revealed(opens: Opens) -> None:
    page = opens("compliance1", "privacy", java_script_enabled=False)
    if page.locator("[data-veil-head]").count():
        page.get_by_role("link", name="Reveal all turns").click()
    expect(page.locator(".turn-text").first).to_be_visible()
    before = assignment(page)
    for dim in page.locator(".dim").all():
        dim.locator("input[name^='score.']").nth(1).check(force=True)
    page.get_by_role("group", name="Identifiers seen").get_by_label("None seen").check()
    page.get_by_role("button", name="Submit").click()
    assert page.locator("#screen").count() == 0 or assignment(page) != before


STATES = {
    "as opened": "", "half filled": "2 2", "a critical picked": "x", "a critical marked": "x 2", "a comment": "c",
    "guideline": "g", "keys": "?", "escalation": "e", "blank": "Escape Escape", "veiled": "v",
}  # fmt: skip


def test_every_state_is_sound_in_both_themes_and_both_widths(opens: Opens) -> None:
    page = opens("compliance2", "privacy")
    check_states(page, ("as opened", "half filled", "a critical marked"))
    page = opens("clinician2", "clinician_foundation")
    check_states(page, tuple(STATES))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict
    check_states(page, ("as opened", "a critical marked", "guideline", "escalation"))


def check_states(page: Page, names: tuple[str, ...]) -> None:
    for name in names:
        page.wait_for_load_state()
        page.wait_for_selector(".has-script")
        press(page, STATES[name])
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            assert violations(page) == [], (name, scheme)
        assert page.evaluate(OVERFLOW) <= 0, name
        assert page.evaluate(INLINE) == 0, name
        page.reload()


def test_my_work_is_sound_in_both_themes_and_both_widths(opens: Opens) -> None:
    page = opens("clinician2", "clinician_edge")
    page.goto(page.url.split("/reviews/")[0] + "/my-work/")
    expect(page.locator(".answer")).to_contain_text("scored")
    for size in (LAPTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            assert violations(page) == [], scheme
        assert page.evaluate(OVERFLOW) <= 0
        assert page.locator("main .btn--primary").count() == 1
