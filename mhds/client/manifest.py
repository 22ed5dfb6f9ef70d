"""Manifest v1: the bytes that seal a release, read strictly. Shared by the server (which builds with it) and the
client (which reads with it); knows no store, no signature and no policy about what may be trained on.

The parser refuses absence: every field below is required, null only where said. Sections that the client decides by are
closed (unknown fields refused, ``x_`` allowed); descriptive ones (``created``, ``provenance``, ``dedup``, ``export``,
``storage``, families, exclusions, gates and signoffs beyond their required fields) stay open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, TypeVar

from mhds.client.canonical import decode_canonical, encode_canonical
from mhds.client.checksums import (
    DIGEST_ALGORITHM,
    check_path,
    content_digest,
    encode_sha256sums,
    index_path,
    parse_sha256sums,
)
from mhds.client.errors import ManifestInvalid
from mhds.client.fields import CONTENT_DIGEST, IDENTIFIER, RECORD_ID, VERSION, Fields
from mhds.client.model import (
    PII_STATUSES,
    ROLES,
    SCHEMA,
    SPLITS,
    Content,
    Family,
    FileEntry,
    FileRef,
    Gate,
    Json,
    Manifest,
    Previous,
    Signoff,
    SourceKeys,
    Split,
)
from mhds.client.totals import check_references, check_totals

__all__ = [
    "LARGEST_MANIFEST",
    "SCHEMA",
    "FileEntry",
    "Manifest",
    "content_digest",
    "encode_manifest",
    "encode_sha256sums",
    "index_path",
    "parse_manifest",
    "parse_sha256sums",
]

Row = TypeVar("Row")

LARGEST_MANIFEST = 4_000_000
_TOP = frozenset(
    {"schema", "release", "demo", "content", "created", "families", "files", "splits", "source_keys", "provenance"}
    | {"privacy", "dedup", "exclusions", "routing", "curriculum", "export", "gates", "signoffs", "storage"}
)
_RELEASE = frozenset({"version", "sequence", "previous"})
_PREVIOUS = frozenset({"version", "manifest_sha256"})
_CONTENT = frozenset({"digest", "algorithm", "files", "bytes", "records", "tokens"})
_TOKENS = frozenset({"count", "tokenizer", "tokenizer_sha256"})
_FILE = frozenset(FileEntry.__dataclass_fields__)
_SPLIT = frozenset({"files", "bytes", "records", "tokens"})
_SOURCE_KEYS = frozenset({"prefixes", "count", "path", "sha256"})
_REFERENCE = frozenset({"path", "sha256"})
_VERDICTS = frozenset({"PASS", "FAIL", "ERROR"})


def encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """The exact bytes to sign and publish; refuses whatever ``parse_manifest`` would refuse to read back."""
    data = encode_canonical(manifest)
    parse_manifest(data)
    return data


def parse_manifest(data: bytes) -> Manifest:
    """Read the bytes of a ``manifest.json``. Raises ``ManifestInvalid`` (form) or ``DigestMismatch`` (sums)."""
    if len(data) >= LARGEST_MANIFEST:
        raise ManifestInvalid(f"the manifest has {len(data)} bytes; it must stay under {LARGEST_MANIFEST}")
    value = decode_canonical(data, "manifest")
    if isinstance(value, dict) and value.get("schema") != SCHEMA:
        raise ManifestInvalid(f"manifest.schema must be {SCHEMA}", hint="Read it with a client that knows its schema.")
    top = Fields(value, "manifest", _TOP)
    manifest = _build(top)
    check_totals(manifest)
    check_references(manifest)
    return manifest


def _build(top: Fields) -> Manifest:
    release = top.inner("release", _RELEASE)
    return Manifest(
        version=release.text("version", VERSION),
        sequence=release.count("sequence", least=1),
        previous=_previous(release),
        demo=top.flag("demo"),
        content=_content(top.inner("content", _CONTENT)),
        created=_created(top.inner("created")),
        families=_sorted(tuple(_family(row) for row in top.rows("families")), "families", lambda family: family.id),
        files=_sorted(tuple(_file(row) for row in top.rows("files", _FILE)), "files", lambda entry: entry.path),
        splits=_splits(top.inner("splits", frozenset(SPLITS))),
        source_keys=_source_keys(top.inner("source_keys", _SOURCE_KEYS)),
        provenance=top.filled_object("provenance"),
        privacy=_privacy(top.inner("privacy")),
        dedup=top.filled_object("dedup"),
        exclusions=tuple(_exclusion(row) for row in top.rows("exclusions")),
        routing=_reference(top.inner("routing", _REFERENCE)),
        curriculum=None if top.value.get("curriculum", "") is None else _reference(top.inner("curriculum", _REFERENCE)),
        export=top.filled_object("export"),
        gates=_sorted(tuple(_gate(row) for row in top.rows("gates")), "gates", lambda gate: gate.id),
        signoffs=_sorted(tuple(_signoff(row) for row in top.rows("signoffs")), "signoffs", lambda sign: sign.role),
        storage=_storage(top.inner("storage")),
    )


def _previous(release: Fields) -> Previous | None:
    if release.value.get("previous", "") is None:
        return None
    previous = release.inner("previous", _PREVIOUS)
    return Previous(previous.text("version", VERSION), previous.sha256("manifest_sha256"))


def _content(content: Fields) -> Content:
    tokens = content.inner("tokens", _TOKENS)
    tokens.text_or_none("tokenizer_sha256")
    return Content(
        digest=content.text("digest", CONTENT_DIGEST),
        algorithm=content.choice("algorithm", frozenset({DIGEST_ALGORITHM})),
        files=content.count("files"),
        bytes=content.count("bytes"),
        records=content.count("records", least=1),
        tokens=tokens.count("count"),
        tokenizer=tokens.text("tokenizer"),
    )


def _created(created: Fields) -> Json:
    created.text("at")
    return created.value


def _storage(storage: Fields) -> Json:
    storage.count("level")
    return storage.value


def _privacy(privacy: Fields) -> Json:
    """``pii_status`` counts records by status; a status that may not ship has no place in it."""
    statuses = privacy.inner("pii_status", PII_STATUSES)
    for status in statuses.value:
        statuses.count(status)
    privacy.filled_object("redaction")
    return privacy.value


def _exclusion(row: Fields) -> Json:
    row.text("reason")
    row.count("count")
    return row.value


def _family(row: Fields) -> Family:
    return Family(row.text("id", IDENTIFIER), row.count("records"), row.count("bytes"), row.count("tokens"), row.value)


def _splits(splits: Fields) -> dict[str, Split]:
    found = {}
    for name in sorted(splits.value):
        split = splits.inner(name, _SPLIT)
        found[name] = Split(split.count("files"), split.count("bytes"), split.count("records"), split.count("tokens"))
    return found


def _source_keys(keys: Fields) -> SourceKeys:
    prefixes = keys.items("prefixes")
    if not all(isinstance(prefix, str) for prefix in prefixes) or prefixes != sorted(set(prefixes), key=str.encode):
        raise ManifestInvalid("manifest.source_keys.prefixes must be text, sorted, each once")
    return SourceKeys(tuple(prefixes), keys.count("count", least=1), keys.text("path"), keys.sha256("sha256"))


def _reference(row: Fields) -> FileRef:
    return FileRef(row.text("path"), row.sha256("sha256"))


def _gate(row: Fields) -> Gate:
    verdict = row.choice("verdict", _VERDICTS)
    report = _reference(row.inner("report", _REFERENCE))
    return Gate(row.text("id", IDENTIFIER), verdict, row.count("examined"), row.count("expected"), report)


def _signoff(row: Fields) -> Signoff:
    return Signoff(
        role=row.text("role", IDENTIFIER),
        person=row.text("person"),
        decision=row.text("decision"),
        at=row.text("at"),
        content_digest=row.text("content_digest", CONTENT_DIGEST),
        record=_reference(row.inner("record", _REFERENCE)),
    )


def _file(row: Fields) -> FileEntry:
    entry = FileEntry(
        path=check_path(row.text("path"), f"{row.where}.path"),
        role=row.choice("role", ROLES),
        bytes=row.count("bytes"),
        sha256=row.sha256("sha256"),
        media_type=row.text("media_type"),
        split=row.text_or_none("split"),
        family=row.text_or_none("family", IDENTIFIER),
        records=row.count_or_none("records"),
        tokens=row.count_or_none("tokens"),
        first_id=row.text_or_none("first_id", RECORD_ID),
        last_id=row.text_or_none("last_id", RECORD_ID),
    )
    if entry.role == "data":
        _check_shard(entry, row.where)
    return entry


def _check_shard(entry: FileEntry, where: str) -> None:
    described = (entry.split, entry.family, entry.records, entry.tokens, entry.first_id, entry.last_id)
    if None in described or not entry.records:
        raise ManifestInvalid(f"{where} is data: split, family, records, tokens, first_id and last_id are required")
    if entry.split not in SPLITS or not entry.path.startswith(f"data/{entry.split}/{entry.family}/"):
        raise ManifestInvalid(f"{where}.path must lie under data/<split>/<family>/ of its own split and family")


def _sorted(rows: tuple[Row, ...], where: str, key: Callable[[Row], str]) -> tuple[Row, ...]:
    """Rows in the UTF-8 byte order of their key, each key once: one set of rows has one spelling."""
    keys = [key(row).encode("utf-8") for row in rows]
    for number, (before, after) in enumerate(pairwise(keys), start=1):
        if before >= after:
            raise ManifestInvalid(f"manifest.{where}[{number}] is out of order or repeated; sort by UTF-8 bytes, once")
    return rows
