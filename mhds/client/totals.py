"""Whether the parts of one manifest agree with each other: sums, and references to listed files. Reads no bytes."""

from __future__ import annotations

from collections.abc import Iterable

from mhds.client.checksums import DIGEST_ROLES, content_digest, index_path
from mhds.client.errors import DigestMismatch, ManifestInvalid
from mhds.client.model import FileEntry, FileRef, Manifest

# Written after the files it lists, so the manifest cannot list it without a circle.
OUTSIDE_MANIFEST = frozenset({"manifest.json", "manifest.dsse.json", "SHA256SUMS"})


def check_totals(manifest: Manifest) -> None:
    """Every total is recomputed from ``files``; the first that differs raises ``DigestMismatch`` with both values."""
    content, data = manifest.content, manifest.data_files()
    covered = [entry for entry in manifest.files if entry.role in DIGEST_ROLES]
    _same("manifest.content.digest", content.digest, content_digest(covered))
    _same("manifest.content.files", content.files, len(covered))
    _same("manifest.content.bytes", content.bytes, sum(entry.bytes for entry in covered))
    _same("manifest.content.records", content.records, _records(data))
    _same("manifest.content.tokens.count", content.tokens, _tokens(data))
    _same("manifest.privacy.pii_status, all", sum(manifest.privacy["pii_status"].values()), content.records)
    _check_splits(manifest)
    _check_families(manifest)


def _check_splits(manifest: Manifest) -> None:
    _same_names("manifest.splits", manifest.splits, {str(entry.split) for entry in manifest.data_files()})
    for name, split in manifest.splits.items():
        data = manifest.data_files(split=name)
        _same(f"manifest.splits.{name}.files", split.files, len(data))
        _same(f"manifest.splits.{name}.bytes", split.bytes, sum(entry.bytes for entry in data))
        _same(f"manifest.splits.{name}.records", split.records, _records(data))
        _same(f"manifest.splits.{name}.tokens", split.tokens, _tokens(data))


def _check_families(manifest: Manifest) -> None:
    known = {family.id for family in manifest.families}
    strange = {str(entry.family) for entry in manifest.files if entry.family is not None} - known
    if strange:
        raise ManifestInvalid(
            f"manifest.files name families that manifest.families lacks: {', '.join(sorted(strange))}"
        )
    for family in manifest.families:
        data = manifest.data_files(family=family.id)
        _same(f"records of family {family.id}", family.records, _records(data))
        _same(f"bytes of family {family.id}", family.bytes, sum(entry.bytes for entry in data))
        _same(f"tokens of family {family.id}", family.tokens, _tokens(data))


def check_references(manifest: Manifest) -> None:
    """Every file that a section points at is listed, under a role that fits, with the same digest."""
    by_path = {entry.path: entry for entry in manifest.files}
    itself = sorted(OUTSIDE_MANIFEST & by_path.keys())
    if itself:
        raise ManifestInvalid(f"manifest.files lists {itself[0]}, which is written after what it lists")
    _check_one_spelling(by_path)
    for entry in manifest.data_files():
        index = by_path.get(index_path(entry.path))
        if index is None or index.role != "index":
            raise ManifestInvalid(f"manifest.files has no index for {entry.path}; expected {index_path(entry.path)}")
    sources = FileRef(manifest.source_keys.path, manifest.source_keys.sha256)
    _check_listed(by_path, "source_keys", sources, "provenance")
    _check_listed(by_path, "routing", manifest.routing, "config")
    if manifest.curriculum is not None:
        _check_listed(by_path, "curriculum", manifest.curriculum, "config")
    for gate in manifest.gates:
        _check_listed(by_path, f"gates, {gate.id}", gate.report, "gate")
    for signoff in manifest.signoffs:
        _check_listed(by_path, f"signoffs, {signoff.role}", signoff.record, "signoff")


def _check_one_spelling(by_path: dict[str, FileEntry]) -> None:
    # A directory on a case-folding disk would hold one of two such files, and nobody would know which.
    if len({path.casefold() for path in by_path}) != len(by_path):
        raise ManifestInvalid("manifest.files lists two paths that differ only in case")


def _check_listed(by_path: dict[str, FileEntry], section: str, reference: FileRef, role: str) -> None:
    entry = by_path.get(reference.path)
    if entry is None or entry.role != role:
        raise ManifestInvalid(f"manifest.{section} points at a file that manifest.files does not list as {role}")
    _same(f"manifest.{section}, sha256 of {reference.path}", reference.sha256, entry.sha256)


def _records(data: Iterable[FileEntry]) -> int:
    return sum(entry.records or 0 for entry in data)


def _tokens(data: Iterable[FileEntry]) -> int:
    return sum(entry.tokens or 0 for entry in data)


def _same(what: str, stated: str | int, found: str | int) -> None:
    if stated != found:
        raise DigestMismatch(what, expected=stated, actual=found)


def _same_names(what: str, stated: Iterable[str], found: Iterable[str]) -> None:
    _same(what, ", ".join(sorted(stated)), ", ".join(sorted(found)))
