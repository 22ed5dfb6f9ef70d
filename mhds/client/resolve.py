"""Turns what a caller names (prefix, channel, version, API) into the place of one release and a pin on its manifest."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from mhds.client.api import Api, ApiTransport
from mhds.client.errors import DigestMismatch, NotPublished, ReleaseWithdrawn, StorageMissing, UsageError
from mhds.client.fields import VERSION
from mhds.client.manifest import LARGEST_MANIFEST
from mhds.client.place import LAYOUT, Place, exports_of
from mhds.client.pointer import read_pointer
from mhds.client.signature import load_public_key
from mhds.client.transport import connect, read_small


def load_key(public_key: bytes | Path | None) -> ec.EllipticCurvePublicKey | None:
    """The trusted key from PEM bytes or a file of them; raises ``UsageError``."""
    if public_key is None:
        return None
    if isinstance(public_key, bytes):
        return load_public_key(public_key)
    try:
        return load_public_key(public_key.read_bytes())
    except OSError as error:
        raise UsageError(f"the public key {public_key} cannot be read: {error.strerror}") from None


def by_api(
    api: str | None, token: str | None, channel: str | None, version: str | None, min_sequence: int | None
) -> tuple[Place, str | None]:
    """The release that the API names, read through the API; with a channel, pinned to the manifest it stated."""
    if api is None or token is None or (channel is None) == (version is None):
        raise UsageError("open by prefix, or by api and token with either a channel or a version", hint=LAYOUT)
    client = Api(api, token)
    if channel is None:
        if version is None or not VERSION.fullmatch(version):
            raise UsageError("a version looks like v2026-01-07 or v2026-01-07.2")
        return Place(ApiTransport(client), f"releases/{version}/"), None
    state = client.channel(channel)
    if state is None:
        raise NotPublished(f"the API says not modified for channel {channel}, and nothing was asked before")
    if state.state != "published":
        raise ReleaseWithdrawn(f"channel {channel} names {state.version}, which is {state.state}")
    if min_sequence is not None and state.sequence < min_sequence:
        raise DigestMismatch(
            f"sequence of channel {channel}", expected=f"at least {min_sequence}", actual=state.sequence
        )
    return Place(ApiTransport(client), f"releases/{state.version}/"), state.manifest_sha256


def by_pointer(
    prefix: str,
    channel: str,
    key: ec.EllipticCurvePublicKey | None,
    require_signature: bool,
    min_sequence: int | None,
    max_age: timedelta | None,
) -> tuple[Place, str | None]:
    """The release that ``channels/<channel>.json`` by the releases of ``prefix`` names, and its manifest's sha256."""
    transport = connect(exports_of(prefix))
    pointer = read_pointer(
        transport,
        channel,
        key=key,
        require_signature=require_signature,
        min_sequence=min_sequence,
        max_age=max_age,
    )
    return Place(transport, f"releases/{pointer.version}/"), pointer.manifest_sha256


def read_manifest(place: Place, pins: tuple[str | None, ...]) -> bytes:
    """The exact bytes, refused if a pin names another sha256. No manifest means ``NotPublished``."""
    try:
        data = read_small(place.transport, place.folder + "manifest.json", limit=LARGEST_MANIFEST)
    except StorageMissing:
        raise NotPublished(
            f"{place.url} has no manifest.json: not published, or half-way through publishing",
            hint="Check the prefix, or ask again later. Files without a manifest are no release.",
        ) from None
    found = hashlib.sha256(data).hexdigest()
    for pin in pins:
        if pin is not None and pin != found:
            raise DigestMismatch("sha256 of manifest.json", expected=pin, actual=found)
    return data
