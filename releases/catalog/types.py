"""The catalog as values. Owns shapes and look-ups; knows no file format, no database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

BASIS = 10_000


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """``kind`` is ``conversations`` or ``persona_profile``; holds when ``min_objects`` objects of it exist."""

    kind: str
    min_objects: int


@dataclass(frozen=True, slots=True)
class Stage:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Family:
    """``holdout`` is ``split``, ``test_only`` or ``train_only``; ``near_duplicates`` is ``keep`` or ``drop``."""

    id: str
    stage: str
    prefixes: tuple[str, ...]
    required: bool
    evidence: tuple[EvidenceRule, ...]
    holdout: str
    holdout_sensitive: bool
    near_duplicates: str
    reviews: tuple[str, ...]
    weight_bp: int


@dataclass(frozen=True, slots=True)
class JoinRule:
    """Answers of the source meet their question in the object ``questions`` below its prefix, by field ``on``."""

    on: str
    questions: str


@dataclass(frozen=True, slots=True)
class Source:
    """One dataset of a family. ``approved_at`` is an ISO time in UTC; empty fields mean *not said*, which blocks."""

    id: str
    family: str
    prefix: str
    license_tag: str
    license_status: str
    approved_by: str
    approved_at: str
    allowed_uses: tuple[str, ...]
    prohibited_uses: tuple[str, ...]
    acquisition: str
    attribution: str
    join: JoinRule | None = None

    @property
    def digest(self) -> str:
        """Binds a person's decision to exactly this row: an edited row needs a new one."""
        body = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the row by itself gives no approval, in words; empty when it does (deny by default)."""
        found = []
        if self.license_status != "verified":
            found.append(f"licence status is {self.license_status or 'missing'}")
        found += self._forbids
        if "training" not in self.allowed_uses:
            found.append("use for training is not allowed")
        if not self.approved_by or not self.approved_at:
            found.append("nobody approved it")
        if not self.acquisition:
            found.append("how it was acquired is not said")
        return tuple(found)

    @property
    def _forbids(self) -> list[str]:
        found = []
        if not self.license_tag:
            found.append("no licence")
        elif "ND" in self.license_tag.upper().split("-"):
            found.append(f"{self.license_tag} forbids derivatives")
        if "training" in self.prohibited_uses:
            found.append("use for training is prohibited")
        return found

    @property
    def forbidden(self) -> str:
        """What no approval heals: the row names no licence, or one that forbids this use. "" where it is open."""
        return "; ".join(self._forbids)

    def standing(self, decision: str = "", because: str = "") -> str:
        """ "" when the source may be read, else why not: by a decision on this very row, without one by the row itself.

        The one place that decides. ``decision`` is ``approved``, ``excluded`` or "" for none; any other word is a no.
        """
        if not decision:
            return "; ".join(self.doubts)
        if decision != "approved":
            return f"excluded by compliance: {because}" if because else "excluded by compliance"
        return f"{self.forbidden}: no approval heals that" if self.forbidden else ""


@dataclass(frozen=True)
class Catalog:
    """The whole catalog; order is the file's and decides which of two equal records is kept."""

    checklist: str
    seed: int
    splits_bp: Mapping[str, int]
    languages: tuple[str, ...]
    roles: Mapping[str, str]
    stages: tuple[Stage, ...]
    families: tuple[Family, ...]
    sources: tuple[Source, ...]
    extra: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        body = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()

    @cached_property
    def family_by_id(self) -> Mapping[str, Family]:
        return {family.id: family for family in self.families}

    @cached_property
    def source_by_id(self) -> Mapping[str, Source]:
        return {source.id: source for source in self.sources}

    @cached_property
    def _prefixes(self) -> list[tuple[str, Family]]:
        pairs = [(prefix, family) for family in self.families for prefix in family.prefixes]
        return sorted(pairs, key=lambda pair: -len(pair[0].encode()))

    @cached_property
    def _source_prefixes(self) -> list[tuple[str, Source]]:
        return sorted(((s.prefix, s) for s in self.sources), key=lambda pair: -len(pair[0].encode()))

    def family_of(self, key: str) -> tuple[Family, str] | None:
        """(family, the prefix that matched): the longest matching prefix wins; None is *outside*."""
        return next(((family, prefix) for prefix, family in self._prefixes if key.startswith(prefix)), None)

    def source_of(self, key: str, family: str) -> Source | None:
        """The source whose prefix matches longest, if it belongs to the family of the key."""
        found = next((source for prefix, source in self._source_prefixes if key.startswith(prefix)), None)
        return found if found is not None and found.family == family else None
