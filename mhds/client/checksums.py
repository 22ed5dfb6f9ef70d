"""Paths inside a release, the content digest over them and the SHA256SUMS file; knows nothing else of a manifest."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Protocol

from mhds.client.errors import ManifestInvalid

DIGEST_ROLES = frozenset({"data", "index", "config"})
DIGEST_ALGORITHM = "sha256-list/1"
LONGEST_PATH = 1024
_SUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Hashed(Protocol):
    """What the content digest needs to know of a file."""

    @property
    def path(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


def check_path(path: str, where: str) -> str:
    """The path itself, if it can only name something below the release's prefix, in one spelling."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise ManifestInvalid(f"{where} must be relative, without empty, '.' or '..' parts")
    if "\\" in path or ":" in parts[0] or _CONTROL.search(path):
        raise ManifestInvalid(f"{where} holds a backslash, a scheme or a control character")
    if unicodedata.normalize("NFC", path) != path:
        raise ManifestInvalid(f"{where} is not in Unicode form NFC")
    if len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH:
        raise ManifestInvalid(f"{where} is longer than {LONGEST_PATH} bytes")
    return path


def index_path(data_path: str) -> str:
    """Where the record offsets of a shard lie: ``data/train/f/part-00000.jsonl`` ->
    ``index/data/train/f/part-00000.jsonl.idx``."""
    return f"index/{data_path}.idx"


def content_digest(files: Iterable[Hashed]) -> str:
    """``sha256:`` + hex over the lines ``sha256 bytes path`` + newline of data, index and config files.

    Lines are sorted as UTF-8 bytes and parted by one space; other roles are left out, because gates and
    signatures refer to this digest and are written after it.
    """
    lines = sorted(f"{f.sha256} {f.bytes} {f.path}\n".encode() for f in files if f.role in DIGEST_ROLES)
    return "sha256:" + hashlib.sha256(b"".join(lines)).hexdigest()


def encode_sha256sums(sums: Mapping[str, str]) -> bytes:
    """The file that ``sha256sum -c`` reads: ``<hex>  <path>`` lines, sorted by path, for ``sums[path] = hex``."""
    paths = sorted(sums, key=lambda path: path.encode("utf-8"))
    return "".join(f"{sums[path]}  {check_path(path, 'SHA256SUMS')}\n" for path in paths).encode("utf-8")


def parse_sha256sums(data: bytes) -> dict[str, str]:
    """``{path: hex}``; refuses a line that is not of the form above, a repeated path and a cut last line."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestInvalid(f"SHA256SUMS is not UTF-8 at byte {error.start}") from None
    if text and not text.endswith("\n"):
        raise ManifestInvalid("SHA256SUMS ends inside a line")
    sums: dict[str, str] = {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            raise ManifestInvalid(f"SHA256SUMS line {number} is not '<sha256>  <path>'")
        path = check_path(match[2], f"SHA256SUMS line {number}")
        if path in sums:
            raise ManifestInvalid(f"SHA256SUMS line {number} repeats a path")
        sums[path] = match[1]
    return sums
