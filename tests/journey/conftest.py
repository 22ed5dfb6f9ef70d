"""An installation with a real worker, where nothing is built yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journey.client_env import training_machine as training_machine  # a fixture
from tests.pages.browsing import chromium
from tests.pages.site import Site, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("journey"), "journey", worker=True) as found:
        yield found
