"""TOML to catalog and back. Owns the file format and its errors; every error names the row and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from mhds.errors import CatalogInvalid
from releases.catalog.types import BASIS, Catalog, EvidenceRule, Family, JoinRule, Source, Stage

CHECKLISTS = {"release-0": ("professional_therapeutic", "priority", "cot_reasoning", "edge_cases", "voice")}
HOLDOUTS = ("split", "test_only", "train_only")
LICENSE_STATES = ("verified", "pending", "unclear")
EVIDENCE_KINDS = ("conversations", "persona_profile")
ROUNDS = ("clinician_foundation", "clinician_edge", "bias_foundation", "privacy")
# Families that people must look at, and in which rounds. Whatever stands in their stage is looked at with them, so
# that no edit of a row can switch a round off, nor empty it of a family.
REVIEWED = {
    "professional_therapeutic": ("clinician_foundation", "bias_foundation"),
    "priority": ("clinician_foundation", "bias_foundation"),
    "edge_cases": ("clinician_edge",),
}
SPLITS = ("train", "val", "test")
CHAT_ROLES = ("system", "user", "assistant")
T = TypeVar("T")


class Row:
    """One table of the file, read field by field; unknown fields are refused at the end."""

    def __init__(self, name: str, values: object) -> None:
        if not isinstance(values, dict):
            raise CatalogInvalid(f"{name} must be a table.")
        self.name, self.values, self.seen = name, values, set[str]()

    def take(self, field: str, kind: type[T], default: T | None = None) -> T:
        self.seen.add(field)
        value = self.values.get(field, default)
        if value is None:
            raise CatalogInvalid(f"{self.name}: {field} is missing.", hint=f"Add {field} to {self.name}.")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise CatalogInvalid(f"{self.name}: {field} must be {kind.__name__}, found {type(value).__name__}.")
        return value

    def one_of(self, field: str, allowed: Iterable[str], default: str | None = None) -> str:
        value = self.take(field, str, default)
        if value not in allowed:
            raise CatalogInvalid(f"{self.name}: {field} is {value!r}; use one of {', '.join(allowed)}.")
        return value

    def strings(self, field: str) -> tuple[str, ...]:
        values = self.take(field, list, [])
        if not all(isinstance(value, str) for value in values):
            raise CatalogInvalid(f"{self.name}: {field} must be a list of strings.")
        return tuple(values)

    def moment(self, field: str) -> str:
        self.seen.add(field)
        value = self.values.get(field)
        if value is None or value == "":
            return ""
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise CatalogInvalid(f"{self.name}: {field} must be a time with its zone, such as 2026-11-20T00:00:00Z.")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def done(self) -> None:
        unknown = sorted(set(self.values) - self.seen)
        if unknown:
            raise CatalogInvalid(f"{self.name}: unknown field {', '.join(unknown)}.", hint="Check the spelling.")


def parse_catalog(text: str) -> Catalog:
    """The catalog that ``text`` describes. Raises CatalogInvalid naming the row, the field and the remedy."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogInvalid(f"the file is not TOML: {error}.") from None
    unknown = sorted(set(document) - {"release", "roles", "stage", "family", "source"})
    if unknown:
        raise CatalogInvalid(f"unknown table {', '.join(unknown)}.", hint="Use release, roles, stage, family, source.")
    release = Row("[release]", document.get("release", {}))
    catalog = Catalog(
        checklist=release.one_of("checklist", CHECKLISTS),
        seed=release.take("seed", int),
        splits_bp=_splits(release),
        languages=release.strings("languages"),
        roles=_roles(document.get("roles", {})),
        stages=_rows(document, "stage", _stage),
        families=_rows(document, "family", _family),
        sources=_rows(document, "source", _source),
    )
    release.done()
    _check(catalog)
    return catalog


def _rows(document: Mapping[str, Any], table: str, make: Callable[[Row], T]) -> tuple[T, ...]:
    rows = document.get(table, [])
    if not isinstance(rows, list):
        raise CatalogInvalid(f"[[{table}]] must be an array of tables.")
    made = []
    for number, values in enumerate(rows, start=1):
        name = values.get("id", f"number {number}") if isinstance(values, dict) else f"number {number}"
        row = Row(f"[[{table}]] {name}", values)
        made.append(make(row))
        row.done()
    return tuple(made)


def _splits(release: Row) -> Mapping[str, int]:
    splits = Row("[release] splits_bp", release.take("splits_bp", dict, {"train": 9000, "val": 500, "test": 500}))
    values = {name: splits.take(name, int) for name in SPLITS}
    splits.done()
    if sum(values.values()) != BASIS or min(values.values()) < 0:
        raise CatalogInvalid(f"[release] splits_bp sums to {sum(values.values())}; it must be {BASIS}.")
    return values


def _roles(table: object) -> Mapping[str, str]:
    row = Row("[roles]", table)
    return {word.casefold(): row.one_of(word, CHAT_ROLES) for word in row.values}


def _stage(row: Row) -> Stage:
    return Stage(id=row.take("id", str), title=row.take("title", str, ""))


def _family(row: Row) -> Family:
    return Family(
        id=row.take("id", str),
        stage=row.take("stage", str),
        prefixes=row.strings("prefixes"),
        required=row.take("required", bool, False),
        evidence=tuple(_evidence(row.name, rule) for rule in row.take("evidence", list, [])),
        holdout=row.one_of("holdout", HOLDOUTS, "split"),
        holdout_sensitive=row.take("holdout_sensitive", bool, False),
        near_duplicates=row.one_of("near_duplicates", ("keep", "drop"), "keep"),
        reviews=tuple(row.strings("reviews")),
        weight_bp=row.take("weight_bp", int, 0),
    )


def _evidence(family: str, values: object) -> EvidenceRule:
    row = Row(f"{family} evidence", values)
    rule = EvidenceRule(kind=row.one_of("kind", EVIDENCE_KINDS), min_objects=row.take("min_objects", int, 1))
    row.done()
    return rule


def _source(row: Row) -> Source:
    join = row.values.get("join")
    row.seen.add("join")
    return Source(
        id=row.take("id", str),
        family=row.take("family", str),
        prefix=row.take("prefix", str),
        license_tag=row.take("license_tag", str, ""),
        license_status=row.one_of("license_status", LICENSE_STATES, "unclear"),
        approved_by=row.take("approved_by", str, ""),
        approved_at=row.moment("approved_at"),
        allowed_uses=row.strings("allowed_uses"),
        prohibited_uses=row.strings("prohibited_uses"),
        acquisition=row.take("acquisition", str, ""),
        attribution=row.take("attribution", str, ""),
        join=_join(row.name, join) if join is not None else None,
    )


def _join(source: str, values: object) -> JoinRule:
    row = Row(f"{source} join", values)
    rule = JoinRule(on=row.take("on", str), questions=row.take("questions", str))
    row.done()
    return rule


def _check(catalog: Catalog) -> None:
    """What must hold between rows."""
    for kind, ids in (
        ("stage", [stage.id for stage in catalog.stages]),
        ("family", [family.id for family in catalog.families]),
        ("source", [source.id for source in catalog.sources]),
        ("family prefix", [prefix for family in catalog.families for prefix in family.prefixes]),
        ("source prefix", [source.prefix for source in catalog.sources]),
    ):
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise CatalogInvalid(f"{kind} {twice[0]!r} stands twice.", hint="Keep one of the rows.")
    stages = {stage.id for stage in catalog.stages}
    for family in catalog.families:
        _check_family(family, stages)
    for source in catalog.sources:
        if source.family not in catalog.family_by_id:
            raise CatalogInvalid(f"[[source]] {source.id}: there is no family {source.family!r}.")
        owner = catalog.family_of(source.prefix)
        if owner is None or owner[0].id != source.family:
            raise CatalogInvalid(f"[[source]] {source.id}: its prefix does not lie under family {source.family}.")


def _check_family(family: Family, stages: set[str]) -> None:
    name = f"[[family]] {family.id}"
    if family.stage not in stages:
        raise CatalogInvalid(f"{name}: there is no stage {family.stage!r}.", hint="Add a [[stage]] with that id.")
    if not family.prefixes or not all(family.prefixes):
        raise CatalogInvalid(f"{name}: prefixes must name at least one prefix.")
    if not 0 <= family.weight_bp <= BASIS:
        raise CatalogInvalid(f"{name}: weight_bp {family.weight_bp} is outside 0 to {BASIS}.")
    unknown = sorted(set(family.reviews) - set(ROUNDS))
    if unknown:
        raise CatalogInvalid(f"{name}: unknown review {unknown[0]!r}; use {', '.join(ROUNDS)}.")


def check_reviews(catalog: Catalog) -> None:
    """Each round keeps the families of its stage: a release must not pass a round because nobody was asked.

    Asked of what is imported; a catalog that is stored already stays readable for the candidates built with it.
    """
    asked: dict[str, set[str]] = {}
    for family in catalog.families:
        asked.setdefault(family.stage, set()).update(REVIEWED.get(family.id, ()))
    for family in catalog.families:
        missing = sorted(asked[family.stage] - set(family.reviews))
        if missing:
            raise CatalogInvalid(
                f"[[family]] {family.id}: reviews lacks {', '.join(missing)}, asked of stage {family.stage}.",
                hint=f"Add {missing[0]!r} to its reviews: a round cannot be switched off in the catalog.",
            )
