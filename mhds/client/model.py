"""The typed shapes of manifest v1. Owns names and types only; reading and checking are in ``manifest.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = "mhds.release-manifest/1"
SPLITS = ("train", "val", "test")
ROLES = frozenset(
    {"data", "index", "config", "gate", "review", "signoff", "coverage", "provenance", "report", "doc"},
)
GATES = ("coverage", "integrity", "provenance", "privacy", "duplicates", "leakage", "distribution", "routing")
# These look at every record, so they expect the manifest's own record count; coverage and routing count families.
RECORD_GATES = frozenset({"integrity", "provenance", "privacy", "duplicates", "leakage", "distribution"})
SIGNOFF_ROLES = ("clinician", "bias_reviewer", "release_lead")
APPROVED = "approved"
# ``requires_review`` never ships, so a manifest has no word for it.
PII_STATUSES = frozenset({"scrubbed", "none_detected"})

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the release. ``split`` to ``last_id`` are null unless ``role`` is ``data`` (an index may name its
    split and family). ``tokens`` counts in ``Content.tokenizer``."""

    path: str
    role: str
    bytes: int
    sha256: str
    media_type: str
    split: str | None = None
    family: str | None = None
    records: int | None = None
    tokens: int | None = None
    first_id: str | None = None
    last_id: str | None = None


@dataclass(frozen=True, slots=True)
class FileRef:
    """A listed file and the digest that the referring section saw."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Previous:
    version: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """``files``, ``bytes`` count what the digest covers (data, index, config); ``records``, ``tokens`` the data."""

    digest: str
    algorithm: str
    files: int
    bytes: int
    records: int
    tokens: int
    tokenizer: str


@dataclass(frozen=True, slots=True)
class Family:
    """Totals over the family's data files; a family that the catalog names and the release lacks has zeros."""

    id: str
    records: int
    bytes: int
    tokens: int
    about: Json


@dataclass(frozen=True, slots=True)
class Split:
    files: int
    bytes: int
    records: int
    tokens: int


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """``count`` source objects under ``prefixes``, one line each in the file ``path``."""

    prefixes: tuple[str, ...]
    count: int
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Gate:
    id: str
    verdict: str
    examined: int
    expected: int
    report: FileRef


@dataclass(frozen=True, slots=True)
class Signoff:
    role: str
    person: str
    decision: str
    at: str
    content_digest: str
    record: FileRef


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose form and counts hold. Whether it may be trained on is ``Release.verify``'s question."""

    version: str
    sequence: int
    previous: Previous | None
    demo: bool
    content: Content
    created: Json
    families: tuple[Family, ...]
    files: tuple[FileEntry, ...]
    splits: Mapping[str, Split]
    source_keys: SourceKeys
    provenance: Json
    privacy: Json
    dedup: Json
    exclusions: tuple[Json, ...]
    routing: FileRef
    curriculum: FileRef | None
    export: Json
    gates: tuple[Gate, ...]
    signoffs: tuple[Signoff, ...]
    storage: Json

    def file(self, path: str) -> FileEntry | None:
        return next((entry for entry in self.files if entry.path == path), None)

    def data_files(self, split: str | None = None, family: str | None = None) -> tuple[FileEntry, ...]:
        """Shards in the order of their paths, narrowed to a split, a family or both."""
        return tuple(
            entry
            for entry in self.files
            if entry.role == "data" and split in (None, entry.split) and family in (None, entry.family)
        )
