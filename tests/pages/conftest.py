"""One installation and one browser for all tests of pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.pages.browsing import chromium, new_context, sign_in
from tests.pages.site import Site, serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("pages"), "pages") as found:
        yield found


@pytest.fixture(scope="session")
def empty_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("empty"), "empty") as found:
        yield found


@pytest.fixture(scope="session")
def versions(site: Site) -> dict[str, str]:
    """``published``, ``review`` and ``blocked``: the versions of the demo's three releases."""
    told: dict[str, str] = json.loads((Path(site.data_dir) / "demo.json").read_text(encoding="utf-8"))["releases"]
    return told


@pytest.fixture(scope="session")
def signed_in(browser: Browser, site: Site) -> dict[str, Path]:
    """Handle -> the kept session of that person."""
    kept: dict[str, Path] = {}
    for handle in ("engineer", "compliance1", "lead", "clinician1", "admin"):
        context = new_context(browser)
        sign_in(context.new_page(), site.url, handle)
        kept[handle] = site.data_dir / f"session-{handle}.json"
        context.storage_state(path=kept[handle])
        context.close()
    return kept
