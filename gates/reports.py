"""The report of one outcome as bytes: an in-toto statement. Pure; knows no row, no bucket, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.rules.base import Outcome, Verdict
from gates.rules.registry import GATES, rules_of
from mhds.client.canonical import encode_canonical

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def report(outcome: Outcome, *, version: str, content_digest: str, bound_to: Mapping[str, str]) -> bytes:
    """Canonical JSON without floats. ``bound_to``: name -> ``sha256:...`` of code, policy, facts, scanner and inputs.

    The predicate's own words (result, configuration, passedTests, failedTests) are in-toto's ``test-result``; what it
    has no word for is under ``mhds``.
    """
    rules = rules_of(GATES[outcome.gate]) if outcome.gate in GATES else {}
    failed = sorted({one.rule for one in outcome.findings if one.verdict is not Verdict.PASS})
    body: dict[str, Any] = {
        "_type": STATEMENT,
        "subject": [{"name": version, "digest": {"sha256": content_digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "PASSED" if outcome.verdict is Verdict.PASS else "FAILED",
            "configuration": [
                {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
                for name, digest in sorted(bound_to.items())
            ],
            # A rule that was never reached has not passed.
            "passedTests": [] if outcome.verdict is Verdict.ERROR else sorted(set(rules) - set(failed)),
            "failedTests": failed,
            "mhds": {
                "gate": outcome.gate,
                "verdict": outcome.verdict.value,
                "examined": outcome.examined,
                "expected": outcome.expected,
                "rules": rules,
                "findings": [one.as_json() for one in outcome.findings],
                "figures": dict(outcome.figures),
                "next_steps": list(outcome.next_steps),
            },
        },
    }
    return encode_canonical(body)
