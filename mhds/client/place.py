"""Finds a release's prefix and the folder two levels up that holds channels and withdrawals. Reads no object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mhds.client.errors import UsageError
from mhds.client.fields import VERSION
from mhds.client.transport import Transport, connect

LAYOUT = "A release lies at <exports>/releases/<version>/, beside <exports>/channels/ and <exports>/withdrawals/."


@dataclass(frozen=True, slots=True)
class Place:
    """``transport`` is open at the exports folder; ``folder`` is the release's key in it and ends in ``/``."""

    transport: Transport
    folder: str

    @property
    def url(self) -> str:
        return self.transport.url + self.folder

    @property
    def named_version(self) -> str | None:
        """The version that the folder's name claims; None for a copy under another name."""
        name = self.folder.rstrip("/").rsplit("/", 1)[-1]
        return name if VERSION.fullmatch(name) else None


def locate(prefix: str) -> Place:
    """The place of a release prefix; raises ``UsageError`` where two levels up is outside the bucket or disk."""
    root, releases, version = _split(prefix)
    return Place(connect(root), f"{releases}/{version}/")


def exports_of(prefix: str) -> str:
    """The exports folder for a prefix that is either that folder itself or one of its releases."""
    last = _absolute(prefix).rsplit("/", 1)[-1]
    return _split(prefix)[0] if VERSION.fullmatch(last) else _absolute(prefix) + "/"


def _split(prefix: str) -> tuple[str, str, str]:
    whole = _absolute(prefix)
    scheme, mark, path = whole.rpartition("://")
    parts = path.split("/")
    # The first part is the bucket, or the empty part before the root of a disk: neither can be climbed out of.
    if len(parts) < 3 or not all(parts[1:]):
        raise UsageError(f"{prefix} is not the prefix of a release", hint=LAYOUT)
    return f"{scheme}{mark}" + "/".join(parts[:-2]) + "/", parts[-2], parts[-1]


def _absolute(prefix: str) -> str:
    if not prefix.strip():
        raise UsageError("the prefix is empty", hint=LAYOUT)
    if "://" in prefix:
        return prefix.rstrip("/")
    return str(Path(prefix).absolute())
