"""Every page in both themes and both widths: nothing for axe-core to say, no error in the console, no broken policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.pages.browsing import LAPTOP, PHONE, Watch, new_context, settled, sign_in
from tests.pages.prepare_names import BUILDING, FAILED
from tests.pages.site import Site

pytestmark = [pytest.mark.pages, pytest.mark.services]

GATES = ("coverage", "integrity", "provenance", "privacy", "duplicates", "leakage", "distribution", "routing")
PAGES: dict[str, tuple[str, str, int]] = {
    "sign-in": ("", "/sign-in/", 200),
    "board": ("engineer", "/", 200),
    "board, filtered to nothing": ("engineer", "/?q=v1999", 200),
    "release, blocked": ("engineer", "/releases/{blocked}/", 200),
    "release, in review": ("lead", "/releases/{review}/", 200),
    "release, published": ("lead", "/releases/{published}/", 200),
    "publish, published": ("lead", "/releases/{published}/publish/", 200),
    "publish, blocked": ("engineer", "/releases/{blocked}/publish/", 200),
    "release, building": ("engineer", f"/releases/{BUILDING}/", 200),
    "release, failed": ("engineer", f"/releases/{FAILED}/", 200),
    "coverage": ("engineer", "/releases/{blocked}/coverage/", 200),
    "objects": ("engineer", "/releases/{blocked}/objects/", 200),
    "inventory": ("engineer", "/inventory/", 200),
    "sources": ("engineer", "/catalog/", 200),
    "sources, to decide": ("compliance1", "/catalog/", 200),
    "policy": ("lead", "/policy/", 200),
    "gates": ("lead", "/releases/{blocked}/gates/", 200),
    "account": ("engineer", "/account/", 200),
    "password": ("engineer", "/account/password/", 200),
    "administrator's home": ("admin", "/", 200),
    "people": ("admin", "/accounts/", 200),
    "a new person": ("admin", "/accounts/new/", 200),
    "403": ("admin", "/policy/", 403),
    "404": ("engineer", "/nothing/here/", 404),
    "integrity, blocked": ("engineer", "/releases/{blocked}/gates/integrity/", 200),
    "provenance, blocked": ("engineer", "/releases/{blocked}/gates/provenance/", 200),
    **{f"{gate}, passing": ("lead", f"/releases/{{review}}/gates/{gate}/", 200) for gate in GATES},
}
# Of pages that are made of the same parts, one is looked at each time and the others in the full suite.
ALIKE = {
    "board, filtered to nothing", "gates", "password", "a new person", "sources, to decide", "403",
    *(f"{gate}, passing" for gate in ("coverage", "integrity", "provenance", "routing", "leakage")),
}  # fmt: skip
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in PAGES]
EMPTY = ["/", *(pytest.param(path, marks=pytest.mark.slow) for path in ("/inventory/", "/catalog/", "/policy/"))]
INLINE = "document.querySelectorAll('[style], style, script:not([src]), [onclick], [onload]').length"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
COLOURS = {"runOnly": ["color-contrast"]}  # what alone can differ between the themes
HEADINGS = "[...document.querySelectorAll('main h1')].map(h => h.textContent.trim())"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_sound_in_both_themes_and_both_widths(
    browser: Browser, site: Site, versions: dict[str, str], signed_in: dict[str, Path], name: str
) -> None:
    who, path, status = PAGES[name]
    check(browser, site.url + path.format(**versions), status, signed_in.get(who))


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_installation_is_sound_and_says_what_to_do(browser: Browser, empty_site: Site, path: str) -> None:
    context = new_context(browser)
    sign_in(context.new_page(), empty_site.url, "engineer")
    state = empty_site.data_dir / "session.json"
    context.storage_state(path=state)
    context.close()
    check(browser, empty_site.url + path, 200, state)


def check(browser: Browser, url: str, status: int, state: Path | None) -> None:
    context = new_context(browser, storage_state=state)
    page = context.new_page()
    watch = Watch(page)
    try:
        policies: set[str] = set()
        for size in (LAPTOP, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of the two sizes
            page.emulate_media(color_scheme="light")
            response = page.goto(url)
            assert response is not None
            assert response.status == status
            policies.add(response.headers["content-security-policy"])
            settled(page)
            look(page, size["width"])
            page.emulate_media(color_scheme="dark")
            assert violations(page, COLOURS) == []
            assert watch.wrong(status=status) == []
        (policy,) = policies
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "data:" not in policy
    finally:
        context.close()


def look(page: Page, width: int) -> None:
    assert page.evaluate(OVERFLOW) <= 0, f"wider than {width} pixels"
    assert page.evaluate(INLINE) == 0
    assert len(page.evaluate(HEADINGS)) == 1
    assert page.locator("main .btn--primary").count() <= 1
    assert violations(page) == []


def violations(page: Page, options: dict[str, list[str]] | None = None) -> list[tuple[str, list[str]]]:
    found = Axe().run(page, options=options).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found]
