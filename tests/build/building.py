"""Plans for the pure build: objects in memory, plain ports, and a build in a folder of its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from mhds.client.checksums import content_digest
from mhds.errors import StorageUnavailable
from releases.build.pipeline import build
from releases.build.plan import BuildPlan, BuildResult, Clusters, NearPair
from releases.build.record import CompiledRecord, decode_record
from releases.build.types import Messages, PiiStatus, Redaction
from releases.catalog.parse import parse_catalog
from releases.catalog.types import Catalog
from tests.factories import VERSION, catalog_toml


class PlainRedactor:
    """``Zaphod`` is a name; ``UNSURE`` cannot be decided."""

    name, version = "plain", "1"

    def redact(self, messages: Messages, language: str) -> Redaction:
        text = " ".join(one.content for one in messages)
        clean = tuple(one._replace(content=one.content.replace("Zaphod", "<PERSON>")) for one in messages)
        found = text.count("Zaphod")
        status = PiiStatus.SCRUBBED if found else PiiStatus.NONE_DETECTED
        status = PiiStatus.REQUIRES_REVIEW if "UNSURE" in text else status
        return Redaction(clean, status, {"PERSON": found} if found else {}, len(text), len(text), 0, 0)


class ByMark:
    """German where the text says ``DEUTSCH``, English else."""

    name, version = "mark", "1"

    def detect(self, messages: Messages) -> tuple[str, int]:
        return ("de" if any("DEUTSCH" in one.content for one in messages) else "en"), 10_000


class ByFirstWord:
    """Records whose first message starts with the same word share a cluster; ``near`` says which are near."""

    name, version = "first-word", "1"

    def __init__(self) -> None:
        self.words: list[str] = []
        self.hashes: list[str] = []

    def add(self, messages: Messages, content_hash: str, family: str) -> None:
        self.words.append(messages[0].content.split()[0])
        self.hashes.append(content_hash)

    def clusters(self, text_of: Callable[[int], Messages]) -> Clusters:
        members: dict[str, list[int]] = {}
        for position, word in enumerate(self.words):
            members.setdefault(word, []).append(position)
        names = {word: min(self.hashes[one] for one in positions) for word, positions in members.items()}
        near = [
            NearPair(positions[0], other)
            for word, positions in members.items()
            if word.startswith("near")
            for other in positions[1:]
        ]
        return Clusters([names[word] for word in self.words], near)


@dataclass(frozen=True)
class Listed:
    key: str
    size: int
    etag: str


class Objects:
    """Objects in memory. A body that is an error is raised at reading; ``grown`` keys got a byte after the listing."""

    def __init__(self, bodies: Mapping[str, bytes | Exception], grown: frozenset[str] = frozenset()) -> None:
        self.bodies, self.grown = dict(bodies), grown
        self.opened: list[str] = []

    def listing(self) -> list[Listed]:
        keys = sorted(self.bodies, key=str.encode)
        return [Listed(key, len(self._body(key)), sha256(self._body(key)).hexdigest()) for key in keys]

    def _body(self, key: str) -> bytes:
        body = self.bodies[key]
        return body if isinstance(body, bytes) else b"not readable"

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        self.opened.append(key)
        body = self.bodies[key]
        if isinstance(body, Exception):
            raise body
        yield io.BytesIO(body + (b"\n" if key in self.grown else b""))


GONE = StorageUnavailable("the store does not answer")


def catalog(*sources: str, **given: Any) -> Catalog:
    return parse_catalog(catalog_toml(*sources, **given))


def plan(objects: Objects, work_dir: Path, found: Catalog | None = None, **changed: Any) -> BuildPlan:
    ready = BuildPlan(
        version=VERSION, date="2026-01-07", catalog=found or catalog(), source_name="local", objects=objects.listing(),
        open_object=objects.open, standing=lambda source: "; ".join(source.doubts), alias=lambda key: key,
        redactor=PlainRedactor(), language=ByMark(), clusterer=ByFirstWord(), earlier={},
        said=lambda _messages: frozenset(), work_dir=work_dir, shard_bytes=1 << 20,
    )  # fmt: skip
    return replace(ready, **changed)


@dataclass
class Built:
    result: BuildResult

    @property
    def digest(self) -> str:
        return content_digest(self.result.files)

    @property
    def bytes(self) -> dict[str, bytes]:
        return {file.path: file.local.read_bytes() for file in self.result.files}

    def records(self) -> list[CompiledRecord]:
        data = [file for file in self.result.files if file.role == "data"]
        return [decode_record(line) for file in data for line in file.local.read_bytes().splitlines()]

    def account(self, key: str) -> Any:
        return next(one for one in self.result.accounts if one.key == key)

    def reasons(self) -> dict[str, str]:
        """``key#record`` -> why it does not ship."""
        return {f"{one.key}#{one.source_record}": one.reason for one in self.result.exclusions}


def built(
    bodies: Mapping[str, bytes | Exception], work_dir: Path, found: Catalog | None = None, **changed: Any
) -> Built:
    return Built(build(plan(Objects(bodies), work_dir, found, **changed)))
