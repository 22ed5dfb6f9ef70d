"""Catalog to TOML: what ``export_catalog`` writes reads back to the same digest. Knows no database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from releases.catalog.types import Catalog, Family, Source


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, which asks for one more."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _text(key)


def _table(title: str, fields: Mapping[str, object]) -> str:
    return "\n".join([title, *(f"{_key(key)} = {_value(value)}" for key, value in fields.items())])


def _family(family: Family) -> dict[str, object]:
    return {
        "id": family.id,
        "stage": family.stage,
        "prefixes": family.prefixes,
        "required": family.required,
        "evidence": [{"kind": rule.kind, "min_objects": rule.min_objects} for rule in family.evidence],
        "holdout": family.holdout,
        "holdout_sensitive": family.holdout_sensitive,
        "near_duplicates": family.near_duplicates,
        "reviews": family.reviews,
        "weight_bp": family.weight_bp,
    }


def _source(source: Source) -> str:
    fields: dict[str, object] = {
        "id": source.id,
        "family": source.family,
        "prefix": source.prefix,
        "license_tag": source.license_tag,
        "license_status": source.license_status,
        "approved_by": source.approved_by,
        "allowed_uses": source.allowed_uses,
        "prohibited_uses": source.prohibited_uses,
        "acquisition": source.acquisition,
        "attribution": source.attribution,
    }
    if source.join:
        fields["join"] = {"on": source.join.on, "questions": source.join.questions}
    table = _table("[[source]]", fields)
    return f"{table}\napproved_at = {source.approved_at}" if source.approved_at else table


def export_catalog(catalog: Catalog) -> str:
    """The catalog as TOML, in its own order."""
    release = {
        "checklist": catalog.checklist,
        "seed": catalog.seed,
        "splits_bp": dict(catalog.splits_bp),
        "languages": catalog.languages,
    }
    tables = [
        _table("[release]", release),
        _table("[roles]", dict(catalog.roles)),
        *(_table("[[stage]]", {"id": stage.id, "title": stage.title}) for stage in catalog.stages),
        *(_table("[[family]]", _family(family)) for family in catalog.families),
        *(_source(source) for source in catalog.sources),
    ]
    return "\n\n".join(tables) + "\n"
