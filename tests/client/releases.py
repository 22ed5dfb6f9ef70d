"""Makes a small published release on disk, with the layout of the bucket, from the same code that the server uses."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mhds.client.canonical import encode_canonical
from mhds.client.manifest import encode_manifest, encode_sha256sums, index_path
from mhds.client.model import GATES, RECORD_GATES, SIGNOFF_ROLES, FileEntry
from mhds.client.pointer import POINTER_SCHEMA
from mhds.client.shards import encode_index
from mhds.client.signature import POINTER_TYPE, STATEMENT_TYPE, key_id, make_envelope, manifest_statement

VERSION = "v2026-01-07"
# records by (split, family, part); 200 in all, two shards in one place
SHARDS = {
    ("train", "edge_cases", 0): 30,
    ("train", "priority", 0): 40,
    ("train", "priority", 1): 35,
    ("train", "professional_therapeutic", 0): 60,
    ("val", "edge_cases", 0): 5,
    ("val", "priority", 0): 10,
    ("val", "professional_therapeutic", 0): 8,
    ("test", "edge_cases", 0): 4,
    ("test", "priority", 0): 8,
}
WEIGHTS = {"edge_cases": 1000, "priority": 5000, "professional_therapeutic": 4000}
FAMILIES = sorted(WEIGHTS)


def record(family: str, split: str, number: int) -> dict[str, Any]:
    name = f"{family}/{split}/{number}"
    return {
        "messages": [
            {"role": "user", "content": f"Question {number} of {family}: wie geht es, 你好?"},
            {"role": "assistant", "content": f"Answer {number}."},
        ],
        "metadata": {
            "record_id": "r_" + hashlib.sha256(name.encode()).hexdigest()[:32],
            "source_family": family,
            "split": split,
        },
    }


@dataclass
class Published:
    """A release under ``exports``; change ``files`` or ``manifest`` and ``write`` again to publish something else."""

    exports: Path
    version: str = VERSION
    files: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, FileEntry] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.exports / "releases" / self.version

    @property
    def prefix(self) -> str:
        return f"{self.root}/"

    def path(self, name: str) -> Path:
        return self.root / name

    def add(self, path: str, role: str, body: bytes, **about: Any) -> None:
        self.files[path] = body
        digest = hashlib.sha256(body).hexdigest()
        media = "application/jsonl" if role == "data" else "application/octet-stream"
        self.entries[path] = FileEntry(path, role, len(body), digest, media, **about)

    def reference(self, path: str) -> dict[str, str]:
        return {"path": path, "sha256": self.entries[path].sha256}

    def write(self, encode: Callable[[dict[str, Any]], bytes] = encode_manifest) -> Published:
        """The publisher's order: files, checksums, manifest last. ``encode_canonical`` lets a bad manifest through."""
        for path, body in self.files.items():
            self.put(path, body)
        self.put("SHA256SUMS", encode_sha256sums({path: entry.sha256 for path, entry in self.entries.items()}))
        self.put("manifest.json", encode(self.manifest))
        return self

    def put(self, path: str, body: bytes) -> None:
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)

    def flip(self, path: str, at: int = -2) -> None:
        """One bit of one byte, size unchanged."""
        body = bytearray(self.path(path).read_bytes())
        body[at] ^= 1
        self.path(path).write_bytes(body)

    def sign(self, key: ec.EllipticCurvePrivateKey) -> None:
        data = self.path("manifest.json").read_bytes()
        statement = manifest_statement(data, self.version, self.manifest["content"]["digest"])
        self.put("manifest.dsse.json", envelope(STATEMENT_TYPE, statement, key))

    def withdraw(self, severity: str = "privacy", reason: str = "a person can be identified") -> None:
        folder = self.exports / "withdrawals"
        folder.mkdir(exist_ok=True)
        body = encode_canonical({"version": self.version, "severity": severity, "reason": reason})
        (folder / f"{self.version}.json").write_bytes(body)

    def point(self, sequence: int = 1, key: ec.EllipticCurvePrivateKey | None = None, **other: Any) -> None:
        """Write ``channels/latest.json``, signed if there is a key."""
        body = encode_canonical(
            {
                "schema": POINTER_SCHEMA,
                "channel": "latest",
                "sequence": sequence,
                "version": self.version,
                "content_digest": self.manifest["content"]["digest"],
                "manifest_sha256": hashlib.sha256(self.path("manifest.json").read_bytes()).hexdigest(),
                "issued_at": "2026-01-07T12:00:00Z",
                **other,
            }
        )
        folder = self.exports / "channels"
        folder.mkdir(exist_ok=True)
        (folder / "latest.json").write_bytes(body if key is None else envelope(POINTER_TYPE, body, key))


def envelope(kind: str, payload: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    return make_envelope(
        kind, payload, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), key_id(key.public_key())
    )


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def publish(exports: Path, **changes: Any) -> Published:
    """The good release, written. ``changes`` replace top-level fields of the manifest."""
    release = build(exports)
    release.manifest.update(changes)
    return release.write()


def build(
    exports: Path, shards: dict[tuple[str, str, int], int] = SHARDS, weights: dict[str, int] = WEIGHTS
) -> Published:
    release = Published(exports)
    start: dict[tuple[str, str], int] = {}
    for (split, family, part), count in shards.items():
        first = start.get((split, family), 0)
        start[split, family] = first + count
        _add_shard(release, split, family, part, range(first, first + count))
    _add_evidence(release, weights)
    release.manifest = manifest_of(release, weights)
    return release


def _add_shard(release: Published, split: str, family: str, part: int, numbers: range) -> None:
    records = [record(family, split, number) for number in numbers]
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in records]
    path = f"data/{split}/{family}/part-{part:05d}.jsonl"
    ids = [row["metadata"]["record_id"] for row in records]
    about = {"split": split, "family": family, "records": len(lines), "tokens": 10 * len(lines)}
    release.add(path, "data", b"".join(lines), **about, first_id=ids[0], last_id=ids[-1])
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    release.add(index_path(path), "index", encode_index(offsets), split=split, family=family)


def routing_of(release: Published, weights: dict[str, int]) -> dict[str, Any]:
    data = [entry for entry in release.entries.values() if entry.role == "data"]
    rows = []
    for family, weight in sorted(weights.items()):
        paths: dict[str, list[str]] = {}
        for entry in data:
            if entry.family == family:
                paths.setdefault(str(entry.split), []).append(entry.path)
        rows.append(
            {"id": family, "enabled": weight > 0, "effective_bp": weight, "catalog_bp": weight, "shards": paths}
        )
    return {"schema": "mhds.routing/1", "seed": 42, "sampling": {"strategy": "weighted_window"}, "families": rows}


def _add_evidence(release: Published, weights: dict[str, int]) -> None:
    release.add("config/routing.json", "config", encode_canonical(routing_of(release, weights)))
    release.add("config/curriculum.json", "config", b"{}\n")
    release.add("provenance/sources.jsonl.gz", "provenance", gzip.compress(b'{"key":"a"}\n', mtime=0))
    for gate in GATES:
        release.add(f"gates/{gate}.json", "gate", encode_canonical({"gate": gate}))
    release.add("signoff/record.json", "signoff", b"{}\n")
    release.add("docs/README.md", "doc", b"# A release\n")


def manifest_of(release: Published, weights: dict[str, int] = WEIGHTS) -> dict[str, Any]:
    """What the publisher would write about ``release.entries``."""
    files = sorted(release.entries.values(), key=lambda entry: entry.path.encode())
    data = [entry for entry in files if entry.role == "data"]
    covered = [entry for entry in files if entry.role in {"data", "index", "config"}]
    lines = sorted(f"{entry.sha256} {entry.bytes} {entry.path}\n".encode() for entry in covered)
    digest = "sha256:" + hashlib.sha256(b"".join(lines)).hexdigest()
    records = sum(entry.records or 0 for entry in data)
    return {
        "schema": "mhds.release-manifest/1",
        "release": {"version": release.version, "sequence": 1, "previous": None},
        "demo": False,
        "content": {
            "digest": digest,
            "algorithm": "sha256-list/1",
            "files": len(covered),
            "bytes": sum(entry.bytes for entry in covered),
            "records": records,
            "tokens": {"count": sum(entry.tokens or 0 for entry in data), "tokenizer": "cl100k_base"}
            | {"tokenizer_sha256": None},
        },
        "created": {"at": "2026-01-07T00:00:00Z", "software": {"mhds": "0.1.0"}},
        "families": [{"id": name, **_totals([e for e in data if e.family == name])} for name in sorted(weights)],
        "files": [{name: getattr(entry, name) for name in FileEntry.__dataclass_fields__} for entry in files],
        "splits": {split: _split(data, split) for split in sorted({str(entry.split) for entry in data})},
        "source_keys": {"prefixes": ["priority/"], "count": 1} | release.reference("provenance/sources.jsonl.gz"),
        "provenance": {"steps": [{"name": "redact", "version": "1"}]},
        "privacy": {
            "pii_status": {"scrubbed": 12, "none_detected": records - 12},
            "redaction": {"policy": "default", "replaced": {"PHONE": 12}},
        },
        "dedup": {"method": "content_hash", "removed": 3},
        "exclusions": [{"reason": "exact_duplicate", "count": 3}],
        "routing": release.reference("config/routing.json"),
        "curriculum": release.reference("config/curriculum.json"),
        "export": {"format": "chatml-jsonl", "path_prefix": "data/"},
        "gates": [_gate(release, gate, records) for gate in sorted(GATES)],
        "signoffs": [_signoff(release, role, digest) for role in sorted(SIGNOFF_ROLES)],
        "storage": {"level": 3},
    }


def _totals(data: list[FileEntry]) -> dict[str, int]:
    return {
        "records": sum(entry.records or 0 for entry in data),
        "bytes": sum(entry.bytes for entry in data),
        "tokens": sum(entry.tokens or 0 for entry in data),
    }


def _split(data: list[FileEntry], split: str) -> dict[str, int]:
    chosen = [entry for entry in data if entry.split == split]
    return {"files": len(chosen), **_totals(chosen)}


def _gate(release: Published, gate: str, records: int) -> dict[str, Any]:
    count = records if gate in RECORD_GATES else 3
    report = release.reference(f"gates/{gate}.json")
    return {"id": gate, "verdict": "PASS", "examined": count, "expected": count, "report": report}


def _signoff(release: Published, role: str, digest: str) -> dict[str, Any]:
    return {
        "role": role,
        "person": f"p-{role}",
        "decision": "approved",
        "at": "2026-01-07T11:00:00Z",
        "content_digest": digest,
        "record": release.reference("signoff/record.json"),
    }
