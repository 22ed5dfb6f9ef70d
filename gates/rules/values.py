"""What a gate is given, as values. Owns shapes only; knows no database, no bucket and no rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gates.scan.clusters import Clustering, cluster
from gates.scan.facts import Facts
from gates.scan.marks import Conversations
from releases.build.types import Messages
from releases.catalog.types import Catalog


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """A data, index or config file as the candidate froze it; split, family and records say something for data only."""

    path: str
    role: str
    bytes: int
    sha256: str
    split: str = ""
    family: str = ""
    records: int = 0


@dataclass(frozen=True, slots=True)
class ObjectAccount:
    """How one source object ended; ``key`` as shown (an alias where the key itself holds an identifier)."""

    key: str
    family: str
    source: str
    status: str
    reason: str
    size: int
    etag: str
    sha256: str = ""
    records_in: int = 0
    records_out: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    personas: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A key of the inventory snapshot, with what the store said of it."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Issue:
    """A refused object (``source_record`` empty) or a bad record that a person must decide about."""

    key: str
    etag: str
    family: str
    source: str
    source_record: str
    reason: str
    offset: int | None = None
    detail: str = ""

    @property
    def decided_as(self) -> tuple[str, str, str, str]:
        """What a decision must name to be about this very thing."""
        return self.key, self.etag, self.source_record, self.reason


@dataclass(frozen=True, slots=True)
class WaiverInForce:
    """Granted by two people, not expired, for this content and gate: it settles the rules or findings it names."""

    id: str
    gate: str
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class EarlierRelease:
    """A release that was published once: where its records went, and its distribution figures.

    ``splits``: content hash -> split. ``messages``: hash (hex) of each message of 20 or more words -> split,
    train where it was in several. ``figures``: figure id (``family/split/measure``) -> integer.
    """

    version: str
    splits: Mapping[str, str]
    messages: Mapping[str, str]
    figures: Mapping[str, int]


@dataclass(frozen=True)
class GateInputs:
    """Everything that the gates look at. ``facts`` is None where there are none.

    ``scanner_digest`` is that of the scanner in use now; ``published`` names, oldest first, each version ever
    published, so that a gap in ``earlier`` is seen. ``measured`` holds (bytes, sha256) of staged index and config
    files.
    ``source_decisions``: (source id, digest of its row) -> newest decision. ``text_of(i)`` reads the i-th record;
    ``known_jaccards`` spares reading pairs that an earlier clustering measured.
    """

    version: str
    content_digest: str
    files: tuple[FrozenFile, ...]
    coverage: Mapping[str, Any]
    objects_by_status: Mapping[str, int]
    records_in: int
    records_out: int
    records_excluded: int
    exclusions: Mapping[str, int]
    build_facts: Mapping[str, Any]
    catalog: Catalog
    source_name: str
    listing: Mapping[str, Listed]
    accounts: tuple[ObjectAccount, ...]
    issues: tuple[Issue, ...]
    excluded_by_decision: frozenset[tuple[str, str, str, str]]
    source_decisions: Mapping[tuple[str, str], str]
    facts: Facts | None
    scanner_digest: str
    text_of: Callable[[int], Messages]
    routing: bytes | None
    curriculum: bytes | None
    measured: Mapping[str, tuple[int, str]]
    earlier: Sequence[EarlierRelease] = ()
    published: tuple[str, ...] = ()
    waivers: tuple[WaiverInForce, ...] = ()
    explanations: Mapping[str, str] = field(default_factory=dict)
    known_jaccards: Mapping[tuple[str, str], int] = field(default_factory=dict)
    _clusterings: dict[int, Clustering] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def scanned(self) -> Facts:
        """The facts, where a gate cannot do without. Raises LookupError when there are none."""
        if self.facts is None:
            raise LookupError("there are no facts")
        return self.facts

    @property
    def shards(self) -> list[FrozenFile]:
        return [file for file in self.files if file.role == "data"]

    @cached_property
    def compiled(self) -> int:
        """Records that the candidate froze: what every gate over records must have examined."""
        return sum(file.records for file in self.shards)

    @cached_property
    def records_by_family(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for file in self.shards:
            counts[file.family] = counts.get(file.family, 0) + file.records
        return counts

    def clustering(self, threshold_bp: int) -> Clustering:
        """Clusters of the compiled records, computed once per set of inputs."""
        if threshold_bp not in self._clusterings:
            conversations = Conversations.from_facts(self.scanned.records, self.scanned.messages)
            self._clusterings[threshold_bp] = cluster(
                conversations, self.text_of, threshold_bp=threshold_bp, known=self.known_jaccards
            )
        return self._clusterings[threshold_bp]
