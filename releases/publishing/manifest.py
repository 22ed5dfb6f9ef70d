"""Manifest v1 from its parts. Pure: rows in, one document out; form and sums are checked by the reader's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhds.client.checksums import DIGEST_ALGORITHM, DIGEST_ROLES
from mhds.client.manifest import SCHEMA
from mhds.client.model import FileEntry
from releases.publishing.documents import About

SPLIT_ORDER = ("train", "val", "test")
File = Mapping[str, Any]


@dataclass(frozen=True)
class Parts:
    """What the manifest is made of. ``files`` are rows with every field of ``FileEntry``, sorted by path."""

    about: About
    sequence: int
    previous: Mapping[str, str] | None
    files: Sequence[File]
    tokenizer_sha256: str | None
    prefixes: Sequence[str]
    sources: int
    pii: Mapping[str, int]
    build_facts: Mapping[str, Any]
    catalog_digest: str
    snapshot_digest: str
    published_at: str
    software: str
    storage_level: int


def of_role(files: Sequence[File], role: str) -> list[File]:
    return [one for one in files if one["role"] == role]


def totals(data: Sequence[File]) -> dict[str, int]:
    return {name: sum(one[name] for one in data) for name in ("records", "bytes", "tokens")}


def split_rows(files: Sequence[File]) -> dict[str, dict[str, int]]:
    """Totals of each split that holds data, in the order train, val, test."""
    by_split = {name: [one for one in of_role(files, "data") if one["split"] == name] for name in SPLIT_ORDER}
    return {name: {"files": len(data), **totals(data)} for name, data in by_split.items() if data}


def family_row(files: Sequence[File], family: str, **about: Any) -> dict[str, Any]:
    data = [one for one in of_role(files, "data") if one["family"] == family]
    return {"id": family, **totals(data), "splits": sorted({one["split"] for one in data}), **about}


def manifest(parts: Parts) -> dict[str, Any]:
    about, files = parts.about, parts.files
    covered = [one for one in files if one["role"] in DIGEST_ROLES]
    data = totals(of_role(files, "data"))
    return {
        "schema": SCHEMA,
        "release": {"version": about.version, "sequence": parts.sequence, "previous": parts.previous},
        "demo": about.demo,
        "content": {
            "digest": about.content_digest,
            "algorithm": DIGEST_ALGORITHM,
            "files": len(covered),
            "bytes": sum(one["bytes"] for one in covered),
            "records": data["records"],
            "tokens": {
                "count": data["tokens"],
                "tokenizer": about.tokenizer,
                "tokenizer_sha256": parts.tokenizer_sha256,
            },
        },
        "created": {"at": parts.published_at, "software": {"mhds": parts.software}},
        "families": sorted(about.families, key=lambda one: one["id"].encode()),
        "files": [{name: one[name] for name in FileEntry.__dataclass_fields__} for one in files],
        "splits": dict(about.splits),
        "source_keys": {
            "prefixes": sorted(set(parts.prefixes), key=str.encode),
            "count": parts.sources,
            **_reference(files, "provenance/sources.jsonl.gz"),
        },
        "provenance": {
            "catalog": parts.catalog_digest,
            "inventory": parts.snapshot_digest,
            "steps": parts.build_facts["steps"],
            "licences": list(about.licences),
        },
        "privacy": {
            "pii_status": dict(parts.pii),
            "redaction": parts.build_facts["redaction"],
            "keys_aliased": parts.build_facts["key_aliases"],
        },
        "dedup": {
            "exact_removed": about.exclusions.get("exact_duplicate", 0),
            "near_removed": about.exclusions.get("near_duplicate", 0),
            "clusters": parts.build_facts["clusters"],
            "splits": parts.build_facts["splits"],
        },
        "exclusions": [
            {"reason": reason, "count": count}
            for reason, count in sorted(about.exclusions.items(), key=lambda one: one[0].encode())
        ],
        "routing": _reference(files, "config/routing.json"),
        "curriculum": _reference(files, "config/curriculum.json"),
        "export": {"format": "chatml-jsonl", "path_prefix": "data/", "compression": None},
        "gates": [
            {**one, "report": _reference(files, f"gates/{one['id']}.json")}
            for one in sorted(about.gates, key=lambda one: one["id"].encode())
        ],
        "signoffs": [{**one, "record": _reference(files, "signoff/record.json")} for one in about.signoffs],
        "storage": {"level": parts.storage_level},
    }


def _reference(files: Sequence[File], path: str) -> dict[str, str]:
    return {"path": path, "sha256": next(one["sha256"] for one in files if one["path"] == path)}
