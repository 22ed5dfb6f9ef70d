"""Signatures over the manifest and over the channel pointer, and the pointer's own guards."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from mhds.client import (
    ClientError,
    DigestMismatch,
    IntegrityError,
    NotPublished,
    Release,
    SignatureRefused,
    UsageError,
)
from mhds.client.signature import STATEMENT_TYPE, pre_authentication_encoding
from tests.client.releases import envelope, public_pem

pytestmark = pytest.mark.client


@pytest.fixture
def signed(release, signing_key):
    release.sign(signing_key)
    return release


def refusal(prefix: str, **asked) -> ClientError:
    with pytest.raises(ClientError) as caught, Release.open(prefix, **asked) as opened:
        opened.verify()
    return caught.value


def change_envelope(release, change) -> None:
    value = json.loads(release.path("manifest.dsse.json").read_bytes())
    change(value)
    release.put("manifest.dsse.json", json.dumps(value).encode())


def test_the_encoding_is_that_of_the_dsse_specification():
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_signature_verifies_under_the_trusted_key_from_bytes_or_file(signed, signing_key, tmp_path):
    (tmp_path / "key.pem").write_bytes(public_pem(signing_key))

    for key in (public_pem(signing_key), tmp_path / "key.pem"):
        with Release.open(signed.prefix, public_key=key, require_signature=True) as opened:
            assert opened.verify().signature == "verified"


def test_without_a_key_a_signature_is_recorded_as_not_checked(signed):
    with Release.open(signed.prefix) as opened:
        assert opened.verify().signature == "not checked"


def test_another_key_refuses(signed):
    error = refusal(signed.prefix, public_key=public_pem(ec.generate_private_key(ec.SECP256R1())))

    assert isinstance(error, SignatureRefused)
    assert error.exit_code == 4


def test_a_trusted_key_and_no_signature_refuses(release, signing_key):
    assert refusal(release.prefix, public_key=public_pem(signing_key)).exit_code == 4


def test_a_signature_cannot_be_required_without_a_key(signed):
    assert isinstance(refusal(signed.prefix, require_signature=True), UsageError)


def flip_signature(value):
    raw = bytearray(base64.b64decode(value["signatures"][0]["sig"]))
    raw[-1] ^= 1
    value["signatures"][0]["sig"] = base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "change",
    [
        flip_signature,
        lambda value: value.update(signatures=[]),
        lambda value: value.update(payloadType="application/json"),
        lambda value: value["signatures"][0].update(sig="!!"),
        lambda value: value.pop("payload"),
        lambda value: value.update(payload=base64.b64encode(b"{}").decode()),
    ],
    ids=["flipped", "none", "type", "base64", "payload gone", "payload swapped"],
)
def test_an_altered_envelope_refuses_with_the_key(signed, signing_key, change):
    change_envelope(signed, change)

    assert refusal(signed.prefix, public_key=public_pem(signing_key)).exit_code == 4


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"signatures":1.5}'])
def test_an_envelope_that_is_none_refuses_even_without_a_key(signed, body):
    signed.put("manifest.dsse.json", body)

    assert refusal(signed.prefix).exit_code == 4


def test_a_manifest_changed_after_signing_is_an_integrity_failure_with_both_digests(signed, signing_key):
    data = signed.path("manifest.json").read_bytes()
    signed.put("manifest.json", data.replace(b"p-clinician", b"q-clinician"))

    for asked in ({}, {"public_key": public_pem(signing_key)}):
        error = refusal(signed.prefix, **asked)
        assert isinstance(error, DigestMismatch)
        assert error.exit_code == 3


def test_a_good_signature_of_another_version_does_not_pass_for_this_one(signed, signing_key):
    statement = json.loads(base64.b64decode(json.loads(signed.path("manifest.dsse.json").read_bytes())["payload"]))
    statement["predicate"]["version"] = "v2026-01-08"
    body = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    signed.put("manifest.dsse.json", envelope(STATEMENT_TYPE, body, signing_key))

    assert refusal(signed.prefix, public_key=public_pem(signing_key)).exit_code == 4


@pytest.mark.parametrize("private", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_key_of_another_kind_is_a_usage_error(signed, private):
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    for key in (pem, b"no key"):
        assert isinstance(refusal(signed.prefix, public_key=key), UsageError)


def test_a_channel_leads_to_its_release_from_the_exports_folder_or_any_release(release):
    release.point(sequence=3)

    for prefix in (f"{release.exports}", f"{release.exports}/", f"{release.exports}/releases/v2020-01-01/"):
        with Release.open(prefix, channel="latest", min_sequence=3) as opened:
            assert opened.verify().version == release.version


def test_a_channel_that_nobody_wrote_is_not_published(release):
    assert isinstance(refusal(f"{release.exports}", channel="latest"), NotPublished)
    assert isinstance(refusal(f"{release.exports}", channel="../x"), UsageError)


def test_a_pointer_pins_the_manifest_it_was_written_for(release):
    release.point()
    release.put("manifest.json", release.path("manifest.json").read_bytes().replace(b"p-clinician", b"q-clinician"))

    assert isinstance(refusal(f"{release.exports}", channel="latest"), DigestMismatch)


def test_a_pointer_that_went_back_or_names_another_channel_is_refused(release):
    release.point(sequence=3)
    assert isinstance(refusal(f"{release.exports}", channel="latest", min_sequence=4), DigestMismatch)
    release.point(channel="prod")
    assert isinstance(refusal(f"{release.exports}", channel="latest"), DigestMismatch)


def test_a_stale_pointer_is_refused_only_if_an_age_was_asked_for(release):
    release.point(issued_at="2026-01-07T12:00:00Z")

    assert Release.open(f"{release.exports}", channel="latest").version == release.version
    assert isinstance(refusal(f"{release.exports}", channel="latest", max_age=timedelta(days=1)), IntegrityError)
    release.point(issued_at="yesterday")
    assert isinstance(refusal(f"{release.exports}", channel="latest", max_age=timedelta(days=1)), IntegrityError)


def test_with_a_key_the_pointer_must_be_signed_by_it(release, signing_key):
    release.sign(signing_key)
    release.point()
    trusted: dict[str, Any] = {"channel": "latest", "public_key": public_pem(signing_key)}
    assert refusal(f"{release.exports}", **trusted).exit_code == 4

    release.point(key=signing_key)
    with Release.open(f"{release.exports}", **trusted) as opened:
        assert opened.verify().signature == "verified"
    release.point(key=ec.generate_private_key(ec.SECP256R1()))
    assert refusal(f"{release.exports}", **trusted).exit_code == 4


def test_a_manifest_signature_does_not_pass_for_a_pointer(release, signing_key):
    release.sign(signing_key)
    release.point()
    (release.exports / "channels" / "latest.json").write_bytes(release.path("manifest.dsse.json").read_bytes())

    assert refusal(f"{release.exports}", channel="latest", public_key=public_pem(signing_key)).exit_code == 4
