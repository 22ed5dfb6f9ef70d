"""The scoring screen in a browser: by keyboard alone, offline, veiled, escalated; and never a word of a record kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories import PASSWORD
from tests.pages.browsing import PHONE, Watch, new_context
from tests.pages.site import Site, serving
from tests.pages.test_axe import INLINE, OVERFLOW, violations

pytestmark = [pytest.mark.pages, pytest.mark.services]

Opens = Callable[..., Page]
PAINTED = """
window.painted = [];
addEventListener("keydown", (event) => {
  const screen = document.getElementById("screen");
  if (event.key !== "Enter" || !screen) return;
  const pressed = performance.now(), id = screen.dataset.assignment;
  const look = () => {
    if (document.getElementById("screen").dataset.assignment !== id) window.painted.push(performance.now() - pressed);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(() => requestAnimationFrame(look));
}, true);
"""


@pytest.fixture(scope="module")
def scoring_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("scoring"), "scoring") as found:
        yield found


@pytest.fixture
def opens(browser: Browser, scoring_site: Site) -> Iterator[Opens]:
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


ALL_GOOD = "n n n 2 2 3 2 3 2 n"  # A1 and A2 n/a, no false alarm, six scores, no critical


def test_ten_records_by_keyboard_alone_and_each_next_one_is_there_at_once(opens: Opens) -> None:
    page = opens("clinician1", "clinician_foundation")
    page.evaluate(PAINTED)
    seen, texts = [], []
    for _ in range(10):
        seen.append(assignment(page))
        texts += page.locator(".turn-text").all_inner_texts()
        press(page, ALL_GOOD)
        expect(page.locator("#todo")).to_have_text("all answered")
        page.wait_for_timeout(400)  # a person reads; the next two come meanwhile
        page.keyboard.press("Enter")
        moved_on(page, seen[-1])
    assert len(set(seen)) == 10
    expect(page.locator("h1")).to_have_text(re.compile("10 of"))
    saved(page)
    times = page.evaluate("window.painted")
    assert len(times) == 10  # the page was never loaded anew
    assert sorted(times)[5] < 300, times
    for place in (kept(page), page.url, page.title()):
        assert not any(text[:30] in place for text in texts)
    assert page.evaluate("caches.keys()") == []


def test_undo_reaches_back_over_the_page_that_moved_on(opens: Opens) -> None:
    page = opens("clinician1", "clinician_edge")
    first = assignment(page)
    press(page, "v 2 2 2 2 2 2 2 2 n Enter")
    moved_on(page, first)
    saved(page)
    second = assignment(page)
    page.keyboard.press("z")
    moved_on(page, second)
    assert assignment(page) == first
    assert chosen(page, "A5") == "2"


def test_each_key_does_what_it_says(opens: Opens) -> None:
    page = opens("clinician2", "clinician_foundation")
    press(page, "3 u")
    assert (chosen(page, "A1"), chosen(page, "A2")) == ("3", "unsure")
    press(page, "ArrowUp n y")  # n/a asks one question more
    assert chosen(page, "A2") == "n/a"
    assert page.locator("[name='answer.false_alarm']:checked").get_attribute("value") == "yes"
    press(page, "z")
    assert page.locator("[name='answer.false_alarm']:checked").count() == 0
    press(page, "j j k")
    expect(page.locator("#t2")).to_have_attribute("aria-current", "true")
    press(page, "x 4")
    assert page.locator("[name='criticals']").get_attribute("value") == "C4@2"
    page.get_by_label("Turn of C4").select_option("3")
    assert page.locator("[name='criticals']").get_attribute("value") == "C4@3"
    page.locator("#note").blur()
    press(page, "f")
    expect(page.get_by_role("button", name="Flagged")).to_have_attribute("aria-pressed", "true")
    press(page, "g u n s u r e")
    expect(page.get_by_label("Search the guideline")).to_have_value("unsure")
    expect(page.locator("[data-found]")).to_have_text(re.compile(r"\d+ places?"))
    press(page, "Escape ?")
    expect(page.get_by_role("heading", name="Your keys")).to_be_visible()
    page.wait_for_timeout(700)  # or it would be Escape twice
    press(page, "Escape v")
    assert page.locator(".turn-text").count() == 0
    press(page, "v")
    page.wait_for_timeout(700)
    press(page, "Escape Escape")
    expect(page.locator(".talk")).to_be_hidden()
    expect(page.locator(".score-top")).to_be_hidden()
    press(page, "3 Escape Escape")
    expect(page.locator(".talk")).to_be_visible()
    press(page, "ArrowUp Enter")
    pill(page).to_have_text(re.compile("dimensions left"))
    before = assignment(page)
    press(page, "s")
    moved_on(page, before)
    expect(page.locator("h1")).to_have_text(re.compile("0 of"))


def test_a_comment_keeps_where_it_points_and_never_the_words(opens: Opens) -> None:
    page = opens("clinician2", "clinician_edge")
    press(page, "v" if page.locator("[data-veil-head]").is_visible() else "")
    press(page, "j")
    words = page.evaluate(
        "() => { const text = document.querySelector('#t2 .turn-text').firstChild; const range = new Range();"
        " range.setStart(text, 2); range.setEnd(text, 30); getSelection().removeAllRanges();"
        " getSelection().addRange(range); return range.toString() }"
    )
    press(page, "c")
    page.keyboard.type("Three tasks at once.")
    page.keyboard.press("Control+Enter")
    comment = page.locator("#t2 .comment")
    expect(comment).to_contain_text(words)
    saved(page)
    (one,) = json.loads(page.locator("[name='comments']").input_value())
    assert (one["turn"], one["start"], one["end"], len(one["sha256"])) == (2, 2, 30, 64)
    assert words not in json.dumps(one)
    page.reload()
    page.wait_for_selector(".has-script")
    if page.locator("[data-veil-head]").is_visible():
        page.locator("[data-unveil]").click()
    expect(comment).to_contain_text("Three tasks at once.")
    comment.get_by_role("button", name="Remove").click()
    saved(page)
    page.reload()
    page.wait_for_selector(".has-script")
    expect(comment).to_have_count(0)


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


def test_keys_are_one_s_own_and_one_switch_turns_them_off(opens: Opens) -> None:
    page = opens("bias3", "bias_foundation")
    press(page, "?")
    page.get_by_label("skip, no reason asked").fill("d")
    page.get_by_label("flag for a second look").fill("d")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.locator("[data-drawer='keys'] [data-wrong]")).to_contain_text("would do two things")
    page.get_by_label("flag for a second look").fill("q")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.get_by_role("button", name="Skip D")).to_be_visible()
    before = assignment(page)
    page.locator("body").press("d")
    moved_on(page, before)
    expect(page.get_by_role("button", name="Skip D")).to_be_visible()
    page.locator("[data-drawer='keys'] > summary").click()
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.locator("kbd").first).to_be_hidden()
    before = assignment(page)
    press(page, "2 d")
    assert page.locator(".dim input:checked").count() == 0
    assert assignment(page) == before
    page.reload()
    page.wait_for_selector(".has-script")
    press(page, "2 d")
    assert assignment(page) == before


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


def test_conversation_and_form_share_the_width_and_lines_stay_short(opens: Opens) -> None:
    page = opens("clinician2", "clinician_foundation")
    told = page.evaluate(
        """() => {
          const [talk, form] = ['.talk', '.form'].map(one => document.querySelector(one).getBoundingClientRect().width);
          const longest = [...document.querySelectorAll('.turn-text')].map(one => {
            const range = new Range(), text = one.firstChild; let top = null, length = 0, most = 0;
            for (let at = 0; at < text.data.length; at++) {
              range.setStart(text, at); range.setEnd(text, at + 1);
              const here = range.getBoundingClientRect().top;
              if (top === null || Math.abs(here - top) > 6) { most = Math.max(most, length); length = 0; top = here; }
              length++;
            }
            return Math.max(most, length);
          });
          const size = parseFloat(getComputedStyle(document.querySelector('.turn-text')).fontSize);
          return {share: talk / (talk + form), longest: Math.max(...longest), size};
        }"""
    )
    assert 0.59 < told["share"] < 0.61
    assert told["longest"] <= 72
    assert 17 <= told["size"] <= 18
