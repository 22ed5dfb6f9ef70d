"""Facts and gate inputs made from a few lines of text: the same columns and digests that a scan would give."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from gates.rules.base import FrozenFile, GateInputs, Listed, ObjectAccount
from gates.scan.facts import MESSAGES, RECORDS, Facts, ShardFacts
from gates.scan.fingerprints import FINGERPRINT_VERSION
from gates.scan.marks import mark
from mhds.client.checksums import content_digest
from releases.build.record import content_hash, record_id, text_sha256
from releases.build.routing import curriculum_config, encode_config, routing_config
from releases.build.types import Message, Messages
from releases.catalog.types import Catalog, EvidenceRule, Family, Source, Stage

SCANNER = "sha256:" + "5" * 64
NAME = "local"
VERSION = "v2026-01-07"
CONVERSATIONS = (EvidenceRule("conversations", 1),)


def family(name: str, stage: str = "one", **changed: Any) -> Family:
    given: dict[str, Any] = {
        "id": name, "stage": stage, "prefixes": (f"{name}/",), "required": True, "evidence": CONVERSATIONS,
        "holdout": "split", "holdout_sensitive": False, "near_duplicates": "keep", "reviews": (), "weight_bp": 5000,
    }  # fmt: skip
    return Family(**{**given, **changed})


def source(name: str, **changed: Any) -> Source:
    given: dict[str, Any] = {
        "id": name, "family": name, "prefix": f"{name}/", "license_tag": "CC0-1.0", "license_status": "verified",
        "approved_by": "compliance", "approved_at": "2026-01-01T00:00:00Z", "allowed_uses": ("training",),
        "prohibited_uses": (), "acquisition": "public", "attribution": name,
    }  # fmt: skip
    return Source(**{**given, **changed})


def catalog(**changed: Any) -> Catalog:
    """Two families, ``plain`` and the holdout-sensitive ``edge``, under the policy's checklist."""
    given: dict[str, Any] = {
        "checklist": "small", "seed": 42, "splits_bp": {"train": 9000, "val": 500, "test": 500},
        "languages": ("en",), "roles": {}, "stages": (Stage("one", "One"), Stage("two", "Two")),
        "families": (family("plain"), family("edge", "two", holdout_sensitive=True)),
        "sources": (source("plain"), source("edge")),
    }  # fmt: skip
    return Catalog(**{**given, **changed})


@dataclass(frozen=True)
class Row:
    """One compiled record; ``changed`` overrides columns of its facts."""

    messages: Messages
    family: str = "plain"
    split: str = "train"
    key: str = ""
    number: int = 0
    changed: dict[str, Any] = field(default_factory=dict)

    @property
    def source_key(self) -> str:
        return f"s3://{NAME}/{self.key or f'{self.family}/a.jsonl'}"

    @property
    def shard(self) -> str:
        return f"data/{self.split}/{self.family}/part-00000.jsonl"


def talk(seed: str, turns: int = 2) -> Messages:
    """A conversation of ``turns`` messages of 12 words that no other seed shares."""
    found = []
    for turn in range(turns):
        words = (hashlib.sha256(f"{seed} {turn} {word}".encode()).hexdigest()[:7] for word in range(12))
        found.append(Message(("user", "assistant")[turn % 2], " ".join(words)))
    return tuple(found)


def rows(families: tuple[str, ...] = ("plain", "edge"), each: int = 4) -> list[Row]:
    """For each family ``each`` records in train, one in val and one in test."""
    return [
        Row(talk(f"{name} {number}"), name, split, number=number)
        for name in families
        for number, split in enumerate(["train"] * each + ["val", "test"])
    ]


def record_row(row: Row, ordinal: int, stage: str) -> dict[str, Any]:
    marks = mark(row.messages)
    roles = [message.role for message in row.messages]
    hashed = content_hash(row.messages)
    given: dict[str, Any] = {
        "shard": row.shard, "ordinal": ordinal, "offset": ordinal * 1000, "length": 999,
        "record_id": record_id(row.source_key, str(row.number)), "content_hash": hashed, "declared_hash": hashed,
        "text_sha256": text_sha256(row.messages), "family": row.family, "phase": stage, "split": row.split,
        "source_key": row.source_key, "source_record": str(row.number), "license_tag": "CC0-1.0",
        "pii_status": "none_detected", "declared_language": "en", "language": "en", "language_bp": 9900,
        "tokens": 120, "turns": len(roles) - roles.count("system"), "user_turns": roles.count("user"),
        "assistant_turns": roles.count("assistant"), "system_turns": roles.count("system"),
        "chars": sum(len(message.content) for message in row.messages), "words": 24, "steps": ["read@1", "split@1"],
        "problems": [], "scannable": True, "findings": [], "tags": [], "signature": marks.signature,
        "shingles": marks.shingles,
    }  # fmt: skip
    return {**given, **row.changed}


def message_rows(row: Row, ordinal: int) -> list[dict[str, Any]]:
    return [
        {
            "shard": row.shard, "ordinal": ordinal, "turn": turn, "role": one.role, "words": one.words, "tokens": 60,
            "chars": len(row.messages[turn].content), "message_hash": one.message_hash,
        }
        for turn, one in enumerate(mark(row.messages).messages)
    ]  # fmt: skip


def build(given: list[Row] | None = None, catalog_: Catalog | None = None, **changed: Any) -> GateInputs:
    """Inputs on which every gate of ``POLICY`` passes, for the given records; ``changed`` overrides fields."""
    given, found = given if given is not None else rows(), catalog_ or catalog()
    by_shard: dict[str, list[Row]] = {}
    for row in given:
        by_shard.setdefault(row.shard, []).append(row)
    ordered = [(row, ordinal) for path in sorted(by_shard) for ordinal, row in enumerate(by_shard[path])]
    data = [_file(path, members) for path, members in sorted(by_shard.items())]
    routing, curriculum = configs(data, found)
    extra = [_config("config/routing.json", routing), _config("config/curriculum.json", curriculum)]
    files = (*data, *extra)
    digest = content_digest(files)
    accounts = _accounts(given, found)
    stages = {one.id: one.stage for one in found.families}
    facts = Facts(
        content_digest=digest,
        scanner_digest=SCANNER,
        tokenizer="cl100k_base",
        shards=tuple(ShardFacts(one.path, one.bytes, one.sha256, one.records, (), ("{a:string}",)) for one in data),
        records=pa.Table.from_pylist(
            [record_row(row, ordinal, stages.get(row.family, "one")) for row, ordinal in ordered], RECORDS
        ),
        messages=pa.Table.from_pylist(
            [message for row, ordinal in ordered for message in message_rows(row, ordinal)], MESSAGES
        ),
        scanner={"fingerprints": FINGERPRINT_VERSION},
    )
    inputs = GateInputs(
        version=VERSION,
        content_digest=digest,
        files=files,
        coverage=matrix(given, found),
        objects_by_status={"read": len(accounts)},
        records_in=len(given),
        records_out=len(given),
        records_excluded=0,
        exclusions={},
        build_facts={
            "redaction": {
                "records_scrubbed": 0, "replaced": {}, "chars_before": 1000, "chars_after": 1000,
                "crisis_terms_before": 0, "crisis_terms_after": 0,
            }
        },
        catalog=found,
        source_name=NAME,
        listing={one.key: Listed(one.size, one.etag) for one in accounts},
        accounts=accounts,
        issues=(),
        excluded_by_decision=frozenset(),
        source_decisions={},
        facts=facts,
        scanner_digest=SCANNER,
        text_of=lambda index: ordered[index][0].messages,
        routing=routing,
        curriculum=curriculum,
        measured={one.path: (one.bytes, one.sha256) for one in extra},
    )  # fmt: skip
    return replace(inputs, **changed)


def configs(data: list[FrozenFile], found: Catalog) -> tuple[bytes, bytes]:
    shards: dict[str, dict[str, list[str]]] = {}
    for one in data:
        shards.setdefault(one.family, {"train": [], "val": [], "test": []})[one.split].append(one.path)
    routing = routing_config(found, VERSION, shards)
    return encode_config(routing), encode_config(curriculum_config(routing))


def matrix(given: list[Row], found: Catalog) -> dict[str, Any]:
    present = {row.family for row in given}
    return {
        "checklist": found.checklist,
        "outside": 0,
        "families": [_row(one, one.id in present) for one in found.families],
    }


def _row(one: Family, there: bool) -> dict[str, Any]:
    rules = [
        {"kind": rule.kind, "min_objects": rule.min_objects, "found": int(there), "holds": there}
        for rule in one.evidence
    ]
    return {
        "id": one.id, "stage": one.stage, "required": one.required, "status": "present" if there else "missing",
        "prefixes": [], "rules": rules, "counted": {"objects": int(there), "keys": []},
        "refused": {"objects": 0, "reasons": {}, "keys": []}, "records": 0,
    }  # fmt: skip


def _file(path: str, members: list[Row]) -> FrozenFile:
    body = "\n".join(f"{row.source_key} {row.number} {row.messages}" for row in members).encode()
    first = members[0]
    digest = hashlib.sha256(body).hexdigest()
    return FrozenFile(path, "data", len(body), digest, first.split, first.family, len(members))


def _config(path: str, body: bytes) -> FrozenFile:
    return FrozenFile(path, "config", len(body), hashlib.sha256(body).hexdigest())


def _accounts(given: list[Row], found: Catalog) -> tuple[ObjectAccount, ...]:
    counts: dict[str, list[Row]] = {}
    for row in given:
        counts.setdefault(row.source_key.removeprefix(f"s3://{NAME}/"), []).append(row)
    accounts = []
    for key, members in sorted(counts.items()):
        covering = found.source_of(key, members[0].family)
        name = covering.id if covering else ""
        digest = hashlib.sha256(key.encode()).hexdigest()
        size = len(members)
        accounts.append(ObjectAccount(key, members[0].family, name, "read", "", size, f"e-{key}", digest, size, size))
    return tuple(accounts)


def with_rows(inputs: GateInputs, change: Any) -> GateInputs:
    """The inputs with each record row passed through ``change(row)``; the shards and counts stay as they are."""
    facts = inputs.scanned
    table = pa.Table.from_pylist([change(dict(row)) for row in facts.records.to_pylist()], RECORDS)
    return replace(inputs, facts=replace(facts, records=table))


def with_config(inputs: GateInputs, change: Any, name: str = "routing") -> GateInputs:
    """The inputs with the routing or curriculum document passed through ``change`` and frozen anew."""
    document = json.loads(getattr(inputs, name))
    change(document)
    return with_bytes(inputs, encode_config(document), name)


def with_bytes(inputs: GateInputs, body: bytes, name: str = "routing") -> GateInputs:
    path = f"config/{name}.json"
    files = tuple(_config(path, body) if one.path == path else one for one in inputs.files)
    measured = {**inputs.measured, path: (len(body), hashlib.sha256(body).hexdigest())}
    digest = content_digest(files)
    bodies: dict[str, Any] = {name: body}
    facts = replace(inputs.scanned, content_digest=digest)
    return replace(inputs, files=files, measured=measured, content_digest=digest, facts=facts, **bodies)
