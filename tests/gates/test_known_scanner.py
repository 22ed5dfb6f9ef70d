"""The scanner's digest is known without building the scanner, and never outlives a change of what it is made from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings

from gates import engine, known_scanner, standing

pytestmark = pytest.mark.gates

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, settings: LazySettings) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_it_asks_once_and_remembers() -> None:
    asked: list[str] = []

    def build() -> str:
        asked.append(A)
        return A

    assert [known_scanner.remembered(build), known_scanner.remembered(build)] == [A, A]
    assert asked == [A]


def test_a_scanner_that_was_really_built_overrules_what_was_kept() -> None:
    known_scanner.remember(B)
    known_scanner.remember(A)
    assert known_scanner.remembered(lambda: B) == A


@pytest.mark.parametrize("kept", ["", "sha256:", A[:-1], A + "\n", "\u00e9" * 71])
def test_what_is_no_digest_is_asked_again(own_place: Path, kept: str) -> None:
    known_scanner.remember(A)
    (file,) = (own_place / "scanner").iterdir()
    file.write_text(kept, encoding="utf-8")
    assert known_scanner.remembered(lambda: B) == B


@pytest.mark.parametrize("change", ["source", "list", "package"])
def test_a_changed_component_is_another_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    root, package = tmp_path / "root", tmp_path / "site" / "pretend_recognisers"
    package.mkdir(parents=True)
    (root / "gates/scan/data").mkdir(parents=True)
    files = {
        "source": root / "gates/scan/scan.py",
        "list": root / "gates/scan/data/tags.toml",
        "package": package / "__init__.py",
    }
    for file in files.values():
        file.write_text("x = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setattr(known_scanner, "ROOT", root)
    monkeypatch.setattr(known_scanner, "SOURCES", ("gates/scan",))
    monkeypatch.setattr(known_scanner, "PACKAGES", ("pretend_recognisers",))
    fresh = known_scanner.fingerprint.__wrapped__
    before = fresh()
    assert fresh() == before
    files[change].write_text("x = 2\n", encoding="utf-8")
    os.utime(files[change], ns=(1, 1))  # a coarse clock must not hide the change
    assert fresh() != before


def test_every_package_of_the_scanner_is_looked_at() -> None:
    assert all(list(known_scanner._files_of(name)) for name in known_scanner.PACKAGES)


def test_the_digest_is_that_of_the_scanner_that_is_built() -> None:
    assert standing.scanner_in_use() == engine.scanner().digest


def test_a_process_that_shows_pages_does_not_load_the_engines(own_place: Path) -> None:
    known_scanner.remember(A)
    code = (
        "import django; django.setup()\n"
        "import sys, mhds.urls\n"
        "from gates import standing\n"
        "print(standing.scanner_in_use(), [m for m in ('spacy', 'presidio_analyzer') if m in sys.modules])\n"
    )
    env = os.environ | {"MHDS_DATA_DIR": str(own_place), "DJANGO_SETTINGS_MODULE": "mhds.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{A} []"
