"""DSSE envelopes over ECDSA P-256: makes and checks them; knows no store and holds no key.

Protocol: DSSE v1 (pre-authentication encoding, ASN.1 DER signatures, SHA-256) around an in-toto Statement v1 whose one
subject is ``manifest.json`` with the sha256 of its exact bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mhds.client.canonical import decode_strict, encode_canonical
from mhds.client.errors import DigestMismatch, ManifestInvalid, SignatureRefused, UsageError

STATEMENT_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:mhds:release-signature:1"
POINTER_TYPE = "application/vnd.mhds.channel-pointer+json"
LARGEST_ENVELOPE = 64_000


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What DSSE signs: ``DSSEv1 <len> <type> <len> <payload>``, lengths in bytes as decimal text."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def manifest_statement(manifest: bytes, version: str, content_digest: str) -> bytes:
    """The payload that signs a release: canonical, so a rerun of the publisher signs the same bytes."""
    return encode_canonical(
        {
            "_type": STATEMENT,
            "subject": [{"name": "manifest.json", "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}}],
            "predicateType": PREDICATE,
            "predicate": {"version": version, "content_digest": content_digest},
        }
    )


def make_envelope(payload_type: str, payload: bytes, sign: Callable[[bytes], bytes], key_id: str) -> bytes:
    """The envelope's bytes; ``sign`` gets the pre-authentication encoding and returns an ASN.1 DER signature."""
    signature = sign(pre_authentication_encoding(payload_type, payload))
    return encode_canonical(
        {
            "payloadType": payload_type,
            "payload": base64.b64encode(payload).decode("ascii"),
            "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode("ascii")}],
        }
    )


def load_public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    """A PEM public key on P-256; anything else raises ``UsageError``, because the caller brought it."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("the public key is not a PEM public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageError("the public key is not on the curve P-256")
    return key


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo, in hex. A hint for people: checking never trusts it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def open_envelope(envelope: bytes, payload_type: str, key: ec.EllipticCurvePublicKey | None) -> bytes:
    """The payload. With a key, one signature must verify under it; without one, only the form is checked.

    Raises ``SignatureRefused``.
    """
    kind, payload, signatures = _parse(envelope)
    if kind != payload_type:
        raise SignatureRefused(f"the envelope signs another type of payload; expected {payload_type}")
    if key is not None:
        message = pre_authentication_encoding(kind, payload)
        if not any(_verifies(key, signature, message) for signature in signatures):
            raise SignatureRefused(
                f"no signature of the envelope verifies under the trusted key {key_id(key)[:16]}",
                hint="Check that the key is the publisher's; if it is, the release was altered: do not use it.",
            )
    return payload


def check_manifest_signature(
    envelope: bytes, manifest: bytes, key: ec.EllipticCurvePublicKey | None, *, version: str, content_digest: str
) -> None:
    """Return only if the envelope is about exactly these manifest bytes and, with a key, verifies under it.

    Raises ``SignatureRefused``, or ``DigestMismatch`` where a sound signature is about other manifest bytes.
    """
    payload = open_envelope(envelope, STATEMENT_TYPE, key)
    signed, found = _subject(payload), hashlib.sha256(manifest).hexdigest()
    if signed != found:
        raise DigestMismatch("sha256 of manifest.json, as signed", expected=signed, actual=found)
    if payload != manifest_statement(manifest, version, content_digest):
        raise SignatureRefused("the signed statement names another version or content digest than the manifest")


def _subject(payload: bytes) -> str:
    try:
        return str(decode_strict(payload, "the signed statement")["subject"][0]["digest"]["sha256"])
    except ManifestInvalid as error:
        raise SignatureRefused(error.message) from None
    except (KeyError, IndexError, TypeError):
        raise SignatureRefused("the signed statement has no subject") from None


def _parse(envelope: bytes) -> tuple[str, bytes, list[bytes]]:
    try:
        value = decode_strict(envelope, "the signature envelope")
    except ManifestInvalid as error:
        raise SignatureRefused(error.message) from None
    try:
        kind, rows = value["payloadType"], value["signatures"]
        payload, signatures = _decode(value["payload"]), [_decode(row["sig"]) for row in rows]
    except (KeyError, TypeError, ValueError):
        raise SignatureRefused("the signature envelope is not a DSSE envelope") from None
    if not isinstance(kind, str) or not signatures:
        raise SignatureRefused("the signature envelope carries no signature")
    return kind, payload, signatures


def _decode(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


def _verifies(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
