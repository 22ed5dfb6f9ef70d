"""No page asks the database more than fifteen times, however many rows it shows."""

from __future__ import annotations

import json

import pytest

from tests.pages.prepare_names import BUILDING, FAILED
from tests.pages.site import Site

pytestmark = [pytest.mark.pages, pytest.mark.services]

BUDGET = 15
GATES = ("coverage", "integrity", "provenance", "privacy", "duplicates", "leakage", "distribution", "routing")


def test_every_page_keeps_to_the_budget(site: Site, versions: dict[str, str]) -> None:
    releases = [*versions.values(), BUILDING, FAILED]
    built = versions.values()
    paths = [
        "/", "/?q=v20&state=blocked", "/inventory/", "/catalog/", "/policy/", "/account/",
        *(f"/releases/{version}/" for version in releases),
        f"/releases/{versions['published']}/publish/",
        *(f"/releases/{version}/gates/" for version in releases),
        *(f"/releases/{version}/{name}/" for version in built for name in ("coverage", "objects")),
        *(f"/releases/{version}/gates/{gate}/" for version in built for gate in GATES),
    ]  # fmt: skip
    counts = json.loads(site.run("-m", "tests.pages.count_queries", "compliance1", *paths))
    assert {path: status for path, (status, _asked) in counts.items() if status != 200} == {}
    assert {path: asked for path, (_status, asked) in counts.items() if asked > BUDGET} == {}
