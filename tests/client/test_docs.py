"""The table of failure modes in the documentation holds every error that the client can end in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mhds.client
from mhds.client import errors

pytestmark = pytest.mark.client

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
# Never raised themselves: they only give their children a common name.
ABSTRACT = {"client-error"}


def all_errors(base: type[errors.ClientError] = errors.ClientError) -> set[type[errors.ClientError]]:
    return {base}.union(*(all_errors(child) for child in base.__subclasses__()))


def test_every_error_stands_in_the_table_with_its_exit_code():
    rows = set(re.findall(r"^\| (\d) \| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    public = {kind for kind in all_errors() if kind.__module__ == errors.__name__}
    assert rows == {(str(kind.exit_code), kind.code) for kind in public if kind.code not in ABSTRACT}


def test_every_error_can_be_imported_from_the_package():
    assert {kind.__name__ for kind in all_errors() if kind.__module__ == errors.__name__} <= set(mhds.client.__all__)
