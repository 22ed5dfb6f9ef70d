"""The whole way of a release through the pages, as steps that any installation can walk. Owns no installation.

Each step is what one person does, in that person's own browser window, and ends with what that person sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.journey.installation import PASSWORD
from tests.journey.source import BROKEN_KEY
from tests.pages.browsing import Watch, new_context, settled

BUILD_MS = 90_000
UNAPPROVED = "unlicensed_forum"
KINDS = ("clinician_foundation", "clinician_edge", "bias_foundation", "privacy")
TRAINING_JOB = "training job"
REVIEWERS = ("clinician1", "clinician2", "clinician3", "bias1", "bias2", "compliance1", "compliance2")


@dataclass
class Walk:
    """``domain`` is that of the people's addresses; ``address`` is the release's page, once it is built."""

    browser: Browser
    url: str
    domain: str
    address: str = ""
    scored: dict[str, int] = field(default_factory=dict)
    _windows: dict[str, tuple[BrowserContext, Page, Watch]] = field(default_factory=dict)

    def person(self, handle: str) -> Page:
        """That person's own window, signed in once."""
        if handle not in self._windows:
            context = new_context(self.browser)
            page = context.new_page()
            self._windows[handle] = context, page, Watch(page)
            page.goto(f"{self.url}/sign-in/")
            page.get_by_label("E-mail").fill(f"{handle}@{self.domain}")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{self.url}/")
        return self._windows[handle][1]

    def at(self, handle: str, address: str = "") -> Page:
        page = self.person(handle)
        page.goto(address or self.address)
        settled(page)
        return page

    def quiet(self) -> None:
        """Nothing went wrong in any window since this was asked last."""
        wrong = {handle: found for handle, (_, _, watch) in self._windows.items() if (found := watch.wrong())}
        assert wrong == {}

    def whereabouts(self) -> Iterator[str]:
        """Where everyone stands and what their page says first; nothing of a conversation."""
        for handle, (_, page, _) in self._windows.items():
            said = page.locator("main h1, main .answer, main [role=alert]").all_inner_texts()
            yield f"{handle} at {page.url}: {' | '.join(' '.join(one.split()) for one in said)}"

    def close(self) -> None:
        for context, _page, _watch in self._windows.values():
            context.close()


@contextmanager
def walking(browser: Browser, url: str, domain: str) -> Iterator[Walk]:
    walk = Walk(browser, url, domain)
    try:
        yield walk
    finally:
        walk.close()


@contextmanager
def noted(walk: Walk) -> Iterator[None]:
    """A step that fails says where everyone stood."""
    try:
        yield
    except BaseException as error:
        for note in walk.whereabouts():
            error.add_note(note)
        raise


# --- the engineer and compliance ---------------------------------------------------------------------------------


def build(walk: Walk) -> None:
    """The engineer finds no inventory, builds, and watches the release become blocked."""
    page = walk.at("engineer", f"{walk.url}/inventory/")
    expect(page.get_by_role("heading", name="No inventory yet.")).to_be_visible()
    page.goto(walk.url)
    page.get_by_role("button", name="Build a candidate").click()
    page.wait_for_url(re.compile(r"/releases/v[\d.-]+/$"))
    walk.address = page.url
    expect(page.locator("#state")).to_have_text("blocked", timeout=BUILD_MS)
    inventory = walk.at("engineer", f"{walk.url}/inventory/")
    expect(inventory.get_by_role("table").first).to_contain_text("edge_cases")
    walk.quiet()


def decide(walk: Walk, *, confirm_sources: bool) -> None:
    """The broken file and the unapproved source are decided; where the bucket is real, compliance confirms the rest."""
    page = walk.at("engineer", f"{walk.address}gates/integrity/")
    row = page.locator("tr", has_text=BROKEN_KEY).first
    row.get_by_label("Exclude, because").fill("Cut off by the upload; the sender has no better copy.")
    row.get_by_role("button").click()
    expect(row).to_contain_text("excluded: Cut off by the upload")
    page = walk.at("compliance1", f"{walk.url}/catalog/")
    _decide_source(page, UNAPPROVED, "Exclude", "No licence was granted.")
    if confirm_sources:
        while (waiting := page.get_by_role("row", name=re.compile("by file, not confirmed"))).count():
            name = waiting.first.get_by_role("rowheader").inner_text().split()[0]
            _decide_source(page, name, "Approve", "The licence was read and covers training.")
    expect(page.get_by_role("region", name="What waits")).to_contain_text("No source waits for a decision.")
    walk.quiet()


def _decide_source(page: Page, source: str, act: str, because: str) -> None:
    row = page.get_by_role("row", name=re.compile(rf"^{source}\b"))
    field_ = row.get_by_label("Because")
    if not field_.is_visible():
        row.locator("summary").click()
    field_.fill(because)
    row.get_by_role("button", name=f"{act} {source}").click()
    expect(
        page.get_by_text(f"{source} is recorded as {'excluded' if act == 'Exclude' else 'approved'}.")
    ).to_be_visible()


def pass_gates(walk: Walk) -> None:
    page = walk.at("engineer")
    page.get_by_role("button", name="Run the gates again").click()
    expect(page.locator("#state")).to_have_text("in review", timeout=BUILD_MS)
    expect(page.locator(".tile", has_text="PASS")).to_have_count(8)
    walk.quiet()


# --- rounds ------------------------------------------------------------------------------------------------------


def open_rounds(walk: Walk, plan: str = "pilot") -> None:
    """The lead opens the four rounds, draws and assigns each."""
    page = walk.at("lead", f"{walk.address}reviews/")
    for kind in KINDS:
        page.locator(f"input[name='plan-{kind}'][value='{plan}']").check()
    page.get_by_role("button", name="Open the four rounds").click()
    for act in ("Draw", "Assign"):
        _follow(page, act)
    expect(page.locator("main .answer").first).to_contain_text("assignments are scored in 4 rounds")
    walk.quiet()


def _follow(page: Page, act: str) -> None:
    """Press the one primary button of the page, once for each round, as long as it names this act."""
    for kind in KINDS:
        button = page.locator("main .btn--primary")
        expect(button).to_have_text(re.compile(rf"^{act} .*{kind}$"))
        button.click()
    expect(page.get_by_role("button", name=re.compile(f"^{act} "))).to_have_count(0)


def score_all(walk: Walk) -> None:
    """Everyone scores all that is theirs, purely by keyboard."""
    for handle in REVIEWERS:
        walk.scored[handle] = _score_own(walk, handle)
        walk.quiet()


def _score_own(walk: Walk, handle: str) -> int:
    page = walk.at(handle, f"{walk.url}/my-work/")
    done = 0
    while (following := page.get_by_role("link", name=re.compile("^Next record of"))).count():
        following.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/reviews/items/"))
        done += _score_round(page)
    return done


def _score_round(page: Page) -> int:
    """By keyboard from the first record of a round to the page of own work, where the last one leads."""
    done = 0
    screen = page.locator("#screen.has-script")
    while not page.url.endswith("/my-work/"):
        expect(screen).to_have_count(1)
        shown = screen.get_attribute("data-assignment")
        _press_keys(page, screen.locator(".score-top .mono").inner_text())
        with page.expect_response(_is_next):
            page.keyboard.press("Enter")
        page.wait_for_function(
            "shown => { const one = document.querySelector('#screen.has-script');"
            " return location.pathname.endsWith('/my-work/') || (one && one.dataset.assignment !== shown); }",
            arg=shown,
        )
        done += 1
    settled(page)
    return done


def _is_next(response: Response) -> bool:
    """The next record is before the person, as the server knows too: nobody reads one faster than that."""
    return response.url.endswith("/act/") or response.request.is_navigation_request()


def _press_keys(page: Page, kind: str) -> None:
    """The best score in each dimension, and *none seen* where marks are asked for."""
    for _dimension in range(page.locator("#screen .dim").count()):
        page.keyboard.press("1" if kind == "privacy" else "3")
    if page.locator("#screen [data-step='marks']").count():
        page.keyboard.press("n")
    expect(page.locator("#screen #todo")).to_have_text("all answered")


def close_rounds(walk: Walk) -> None:
    """The lead closes the four rounds; all of them pass, and the last one opens sign-off."""
    page = walk.at("lead", f"{walk.address}reviews/")
    _follow(page, "Close")
    expect(page.locator("main .answer").first).to_contain_text("All four rounds passed")
    expect(page.locator("#state")).to_have_text("in signoff")
    walk.quiet()


# --- sign-off and publishing -------------------------------------------------------------------------------------


def sign(walk: Walk) -> None:
    """Clinician, bias reviewer and lead sign, and the release is approved."""
    for meaning, handle in (("clinician", "clinician1"), ("bias_reviewer", "bias1"), ("lead", "lead")):
        page = walk.at(handle, f"{walk.address}sign/{meaning}/")
        page.locator("input[name='decision'][value='signed']").check()
        page.get_by_label("In what capacity").select_option(index=1)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name=re.compile("^Sign as ")).click()
        expect(page.get_by_text("You signed").first).to_be_visible()
    expect(walk.at("lead").locator("#state")).to_have_text("approved")
    walk.quiet()


def publish(walk: Walk, publisher: str) -> str:
    """The lead publishes and watches; the prefix that training reads."""
    page = walk.at(publisher, f"{walk.address}publish/")
    standing = page.get_by_role("region", name="What is in the way")
    expect(standing).to_contain_text("Everything that publishing asks for holds.")
    page.get_by_role("button", name=re.compile("^Publish ")).click()
    expect(page.locator("#state")).to_have_text("published", timeout=BUILD_MS)
    prefix = page.locator("#prefix")
    expect(prefix).to_be_visible(timeout=BUILD_MS)
    walk.quiet()
    return prefix.inner_text().strip()


def see_consumption(walk: Walk, records: int) -> None:
    """On the release's page stands who read it, and how much."""
    told = walk.at("lead").locator("#consumed")
    expect(told).to_contain_text(f"{records} records by {TRAINING_JOB}")
    walk.quiet()
