"""One published release as training sees it. Owns the order of the checks; knows not how bytes travel or are drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from mhds.client.checksums import parse_sha256sums
from mhds.client.errors import (
    DigestMismatch,
    FileMissing,
    ReleaseWithdrawn,
    SignatureRefused,
    StateMismatch,
    StorageMissing,
    UsageError,
)
from mhds.client.manifest import LARGEST_MANIFEST, parse_manifest
from mhds.client.model import SPLITS, FileEntry, Manifest
from mhds.client.place import Place, locate
from mhds.client.resolve import by_api, by_pointer, load_key, read_manifest
from mhds.client.routing import Routing, parse_routing
from mhds.client.sample import Sample
from mhds.client.shards import Record, Shards
from mhds.client.signature import LARGEST_ENVELOPE, check_manifest_signature
from mhds.client.transport import read_small
from mhds.client.verify import Verification, check_demo, check_gates, check_signoffs

LARGEST_TOMBSTONE = 64_000
FETCHERS = 8


@dataclass(frozen=True, slots=True)
class Trust:
    """What the caller demands beyond the defaults."""

    key: ec.EllipticCurvePublicKey | None
    require_signature: bool
    allow_demo: bool


class Release:
    """Open with ``Release.open``; no record leaves it before ``verify`` held and its own shard hashed right."""

    def __init__(self, place: Place, manifest_bytes: bytes, trust: Trust, cache_dir: Path | None) -> None:
        self._place = place
        self._bytes = manifest_bytes
        self._trust = trust
        self.manifest: Manifest = parse_manifest(manifest_bytes)
        self.manifest_sha256 = hashlib.sha256(manifest_bytes).hexdigest()
        self._shards = Shards(place, self.manifest, cache_dir)
        self._routing: Routing | None = None

    @classmethod
    def open(
        cls,
        prefix: str | None = None,
        *,
        channel: str | None = None,
        version: str | None = None,
        api: str | None = None,
        token: str | None = None,
        public_key: bytes | Path | None = None,
        require_signature: bool = False,
        allow_demo: bool = False,
        cache_dir: str | Path | None = None,
        manifest_sha256: str | None = None,
        min_sequence: int | None = None,
        max_age: timedelta | None = None,
    ) -> Release:
        """Find a release and read its manifest.

        By ``prefix`` (a release, or with ``channel`` the exports folder or any release in it), or by ``api`` and
        ``token`` with a ``channel`` or ``version``: then files come by presigned URL. ``public_key`` is PEM on P-256;
        ``manifest_sha256`` pins the exact manifest. ``min_sequence`` and ``max_age`` (pointers only) guard a channel
        against going back and standing still. ``cache_dir`` keeps files between runs. Raises ``NotPublished``,
        ``UsageError``, ``ManifestInvalid`` and what reading raises.
        """
        trust = Trust(load_key(public_key), require_signature, allow_demo)
        if require_signature and trust.key is None:
            raise UsageError("a signature can only be required with the public key to check it")
        if prefix is None:
            place, pin = by_api(api, token, channel, version, min_sequence)
        elif channel is None:
            place, pin = locate(prefix), None
        else:
            place, pin = by_pointer(prefix, channel, trust.key, require_signature, min_sequence, max_age)
        data = read_manifest(place, pins=(pin, manifest_sha256))
        return cls(place, data, trust, Path(cache_dir) if cache_dir is not None else None)

    @property
    def prefix(self) -> str:
        return self._place.url

    @property
    def version(self) -> str:
        return self.manifest.version

    def verify(self, *, full: bool = False, keep: str | None = None) -> Verification:
        """Withdrawal, signature, gates, sign-offs, and the bytes of every small file; ``full`` hashes all shards too.

        Of those, the shards of the split ``keep`` stay on disk for reading, the others are only hashed. Without
        ``full`` a shard and its index are hashed when first needed, before anything of them is handed out. Raises the
        ``ClientError`` of the first thing that does not hold.
        """
        self._routing = None  # a check that fails now takes back what an earlier one allowed
        manifest = self.manifest
        named = self._place.named_version
        if named is not None and named != manifest.version:
            raise DigestMismatch("version in the manifest", expected=named, actual=manifest.version)
        self._check_withdrawal()
        signature = self._check_signature()
        check_demo(manifest, self._trust.allow_demo)
        check_gates(manifest)
        check_signoffs(manifest)
        self._check_sums()
        self._check_files(full, keep)
        self._routing = parse_routing(self._shards.read(self._listed(manifest.routing.path)), manifest)
        return Verification(
            version=manifest.version,
            content_digest=manifest.content.digest,
            manifest_sha256=self.manifest_sha256,
            signature=signature,
            storage_level=manifest.storage["level"],
            full=full,
        )

    def records(self, *, split: str | None = None, family: str | None = None) -> Iterator[Record]:
        """Every record once, shard by shard in path order, narrowed to a split, a family or both."""
        self._verified()
        entries = self.manifest.data_files(split, family)
        if not entries:
            raise UsageError(f"{self.version} has no records of split {split or 'any'}, family {family or 'any'}")
        return (record for entry in entries for record in self._shards.records(entry))

    def sample(
        self,
        *,
        seed: int | None = None,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
        split: str = "train",
        state: str | None = None,
    ) -> Sample:
        """Endless records in the proportions of routing. Rank ``r`` of ``w`` reads positions start + r, + w, + 2w ...

        Without ``seed``, the one that routing pins. ``start`` is the position at which the whole run goes on:
        ``Sample.position`` of an earlier one. ``state`` is that sample's ``identity``; another release, routing, split
        or seed raises ``StateMismatch``.
        """
        if split not in SPLITS:
            raise UsageError(f"the split is one of {', '.join(SPLITS)}")
        if not (start >= 0 and 0 <= rank < world):
            raise UsageError("start is at least 0, and rank lies from 0 to world - 1")
        routing = self._verified()
        seed = routing.seed if seed is None else seed
        sample = Sample(
            self._shards, self.manifest, routing, split=split, seed=seed, start=start, rank=rank, world=world
        )
        if state is not None and state != sample.identity:
            raise StateMismatch(f"resume state: expected {sample.identity}, found {state}")
        return sample

    def close(self) -> None:
        """Remove the private folder of files; a ``cache_dir`` stays."""
        self._shards.close()

    def __enter__(self) -> Release:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _verified(self) -> Routing:
        if self._routing is None:
            self.verify()
        if self._routing is None:
            raise AssertionError("verify sets the routing or raises")
        return self._routing

    def _read(self, name: str, limit: int) -> bytes:
        return read_small(self._place.transport, self._place.folder + name, limit=limit)

    def _listed(self, path: str) -> FileEntry:
        entry = self.manifest.file(path)
        if entry is None:
            raise FileMissing(f"{path} is not listed in the manifest")
        return entry

    def _check_withdrawal(self) -> None:
        """A missing tombstone, or folder of them, is no error; anything else that is not its bytes is doubt."""
        key = f"withdrawals/{self.version}.json"
        try:
            data = read_small(self._place.transport, key, limit=LARGEST_TOMBSTONE)
        except StorageMissing:
            return
        raise ReleaseWithdrawn(f"{self.version} was withdrawn: {_why(data)}", hint="Stop runs that read it.")

    def _check_signature(self) -> str:
        try:
            envelope = self._read("manifest.dsse.json", LARGEST_ENVELOPE)
        except StorageMissing:
            if self._trust.key is not None:
                raise SignatureRefused("the release is not signed, and a trusted key was given") from None
            return "not checked"
        manifest, key = self.manifest, self._trust.key
        check_manifest_signature(
            envelope, self._bytes, key, version=manifest.version, content_digest=manifest.content.digest
        )
        return "verified" if key is not None else "not checked"

    def _check_sums(self) -> None:
        """``SHA256SUMS`` is a second record of the same facts: two records that differ are a finding."""
        try:
            sums = parse_sha256sums(self._read("SHA256SUMS", LARGEST_MANIFEST))
        except StorageMissing:
            raise FileMissing("SHA256SUMS is not there") from None
        listed = {entry.path: entry.sha256 for entry in self.manifest.files}
        if sums != listed:
            odd = min(
                (path for path in sums.keys() | listed.keys() if sums.get(path) != listed.get(path)), key=str.encode
            )
            raise DigestMismatch(
                f"SHA256SUMS, {odd}", expected=listed.get(odd, "no line"), actual=sums.get(odd, "no line")
            )

    def _check_files(self, full: bool, keep: str | None) -> None:
        wanted = [entry for entry in self.manifest.files if full or entry.role not in ("data", "index")]
        with ThreadPoolExecutor(FETCHERS) as pool:
            tasks = [pool.submit(self._check_file, entry, keep) for entry in wanted]
            try:
                for task in tasks:
                    task.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _check_file(self, entry: FileEntry, keep: str | None) -> None:
        if keep is not None and entry.role == "data" and entry.split == keep:
            self._shards.path(entry)
        else:
            self._shards.check(entry)


def _why(tombstone: bytes) -> str:
    """Severity and reason as the tombstone states them; a damaged tombstone still withdraws."""
    try:
        value: Any = json.loads(tombstone)
        return f"{str(value['severity'])[:40]}, {str(value['reason'])[:200]}"
    except (ValueError, KeyError, TypeError):
        return "the tombstone gives no readable reason"
