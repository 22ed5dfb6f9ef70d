"""Every vendored file is listed with the hash that it has."""

from __future__ import annotations

import hashlib

import pytest

from tests.pages.site import ROOT

pytestmark = pytest.mark.pages


def test_third_party_lists_every_vendored_file_with_its_hash() -> None:
    listed = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    vendored = sorted((ROOT / "static/vendor").iterdir())
    assert vendored
    for file in vendored:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert [line for line in listed.splitlines() if f"static/vendor/{file.name}" in line and digest in line]
