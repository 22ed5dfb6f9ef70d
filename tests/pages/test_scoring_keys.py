"""The scoring screen by keyboard alone: each key does what it says, and the next record is there at once."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.pages.reviewer import (
    Opens,
    assignment,
    chosen,
    kept,
    moved_on,
    opens_fixture,  # noqa: F401  pytest finds it by its name
    pill,
    press,
    saved,
    scoring_site_fixture,  # noqa: F401
)

pytestmark = [pytest.mark.pages, pytest.mark.services]

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


def test_more_than_ten_kinds_have_a_key_each_while_one_is_marked(opens: Opens) -> None:
    page = opens("compliance3", "privacy")
    press(page, "j x")
    kinds = page.locator("[data-pick]")
    assert len(set(kinds.evaluate_all("all => all.map(one => one.dataset.pick)"))) == kinds.count() > 10
    press(page, "b")
    assert page.locator("[name='findings']").get_attribute("value") == f"{kinds.nth(11).get_attribute('data-mark')}@2"
    press(page, "k x n")
    assert page.locator("[name='findings']").get_attribute("value") == "none"


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
