"""The policy of the tests, and one-line ways to ask a gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gates.policy import Policy, current_policy
from gates.rules.base import GateInputs, Outcome, Verdict
from gates.rules.registry import evaluate


def policy(**sections: dict[str, Any]) -> Policy:
    """The shipped policy with the tests' checklist and language; ``sections`` override fields: leakage={...}."""
    shipped = current_policy()
    given: dict[str, dict[str, Any]] = {"coverage": {"checklists": {"small": ("plain", "edge")}}}
    for name, fields in sections.items():
        given.setdefault(name, {}).update(fields)
    return replace(shipped, **{name: replace(getattr(shipped, name), **fields) for name, fields in given.items()})


POLICY = policy()


def ask(gate: str, inputs: GateInputs, rules: Policy = POLICY) -> Outcome:
    return evaluate(gate, inputs, rules)


def failed_rules(outcome: Outcome) -> set[str]:
    return {one.rule for one in outcome.findings if one.verdict is not Verdict.PASS}
