"""What a build is given and what it hands back. Shapes and ports only; knows no store and no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from releases.build.types import LanguageDetector, Messages, Redactor
from releases.catalog.types import Catalog, Source

BUILD_VERSION = "1"
PIPELINE = f"mhds-build/{BUILD_VERSION}"
NOT_APPROVED = "source_not_approved"
Said = Callable[[Messages], frozenset[str]]


class ListedObject(Protocol):
    """One key of the snapshot."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...


class NearPair(NamedTuple):
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Clusters:
    """``cluster_of[i]`` names the cluster of the i-th added conversation; ``near`` are its near-duplicate pairs."""

    cluster_of: Sequence[str]
    near: Sequence[NearPair]


class Clusterer(Protocol):
    """The one definition of a cluster (it lives with the gates, which prove the result by the same code)."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...

    def add(self, messages: Messages, content_hash: str, family: str) -> None: ...

    def clusters(self, text_of: Callable[[int], Messages]) -> Clusters:
        """Clusters over the conversations in the order they were added; ``text_of`` reads one of them again."""
        ...


@dataclass(frozen=True)
class BuildPlan:
    """Everything that decides the bytes of a candidate, and the ports it needs.

    ``standing(source)`` is "" for an approval in force, else why not; ``alias(key)`` is the key, or ``k_<hmac>`` where
    the key itself holds an identifier. ``earlier`` maps content hashes of published releases to the splits they were
    in, and ``said`` tells the same of the long messages of a conversation, as the leakage gate will ask it.
    """

    version: str
    date: str
    catalog: Catalog
    source_name: str
    objects: Iterable[ListedObject]
    open_object: Callable[[str], AbstractContextManager[BinaryIO]]
    standing: Callable[[Source], str]
    alias: Callable[[str], str]
    redactor: Redactor
    language: LanguageDetector
    clusterer: Clusterer
    earlier: Mapping[str, frozenset[str]]
    said: Said
    work_dir: Path
    shard_bytes: int
    progress: Callable[[int, int], None] = field(default=lambda _records, _bytes: None)


@dataclass
class Account:
    """How one object ended, as one line of the account. ``key`` is as shown (an alias where needed)."""

    key: str
    family: str
    source: str
    status: str
    reason: str
    detail: str
    offset: int | None
    size: int
    etag: str
    sha256: str = ""
    shape: str = ""
    records_in: int = 0
    records_out: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    personas: int = 0
    ignored_fields: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A record that does not ship; ``kept`` names the record that stands for it, where one does."""

    key: str
    source_record: str
    reason: str
    detail: str = ""
    offset: int | None = None
    kept: str = ""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One frozen file of the candidate: ``path`` below the release prefix, ``local`` where its bytes lie now."""

    path: str
    role: str
    bytes: int
    sha256: str
    local: Path
    split: str = ""
    family: str = ""
    records: int = 0


@dataclass
class BuildResult:
    files: list[BuiltFile]
    accounts: list[Account]
    exclusions: list[Exclusion]
    released: list[tuple[str, str, str, str]]  # (record id, content hash, split, cluster id), sorted
    facts: dict[str, object]

    @property
    def records_in(self) -> int:
        return sum(account.records_in for account in self.accounts)

    @property
    def records_out(self) -> int:
        return len(self.released)

    def excluded_by_reason(self) -> dict[str, int]:
        return dict(sorted(Counter(one.reason for one in self.exclusions).items()))

    def objects_by_status(self) -> dict[str, int]:
        counts = Counter(account.status for account in self.accounts)
        return {status: counts[status] for status in ("read", "not_conversation", "refused", "outside")}
