"""What must hold before a release may be trained on, apart from the bytes of its files. Decides; fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mhds.client.errors import DemoRefused, DigestMismatch, EvidenceMissing
from mhds.client.model import APPROVED, GATES, RECORD_GATES, SIGNOFF_ROLES, Gate, Manifest, Signoff


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked. ``signature`` is ``verified`` or ``not checked``; ``full``: every file was hashed."""

    version: str
    content_digest: str
    manifest_sha256: str
    signature: str
    storage_level: int
    full: bool


def check_demo(manifest: Manifest, allow_demo: bool) -> None:
    if manifest.demo and not allow_demo:
        raise DemoRefused(
            f"{manifest.version} is made of demo data: invented records and invented reviewers",
            hint="Pass --allow-demo (allow_demo=True) to try the machinery; never train on it.",
        )


def check_gates(manifest: Manifest) -> None:
    """All eight gates, all PASS, each having examined exactly what it had to."""
    found = {gate.id: gate for gate in manifest.gates}
    absent = [name for name in GATES if name not in found]
    if absent:
        raise EvidenceMissing(f"the manifest has no verdict of these gates: {', '.join(absent)}")
    for gate in manifest.gates:
        _check_gate(gate, manifest.content.records)


def _check_gate(gate: Gate, records: int) -> None:
    if gate.verdict != "PASS":
        raise EvidenceMissing(f"gate {gate.id}: expected PASS, found {gate.verdict}")
    if gate.examined != gate.expected or gate.expected < 1:
        raise DigestMismatch(f"gate {gate.id}, examined", expected=max(gate.expected, 1), actual=gate.examined)
    if gate.id in RECORD_GATES and gate.expected != records:
        raise DigestMismatch(f"gate {gate.id}, records it had to examine", expected=records, actual=gate.expected)


def check_signoffs(manifest: Manifest) -> None:
    """The three signatures, by three people, for these very bytes."""
    found = {signoff.role: signoff for signoff in manifest.signoffs}
    absent = [role for role in SIGNOFF_ROLES if role not in found]
    if absent:
        raise EvidenceMissing(f"the manifest lacks these sign-offs: {', '.join(absent)}")
    for signoff in manifest.signoffs:
        _check_signoff(signoff, manifest.content.digest)
    people = {signoff.person for signoff in manifest.signoffs}
    if len(people) != len(manifest.signoffs):
        raise EvidenceMissing(f"{len(manifest.signoffs)} sign-offs come from {len(people)} people")


def _check_signoff(signoff: Signoff, digest: str) -> None:
    if signoff.decision != APPROVED:
        raise EvidenceMissing(f"sign-off {signoff.role}: the decision is not {APPROVED}")
    if signoff.content_digest != digest:
        raise DigestMismatch(f"sign-off {signoff.role}, content digest", expected=digest, actual=signoff.content_digest)
