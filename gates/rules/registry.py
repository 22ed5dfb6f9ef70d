"""The gates by id, and the one way to ask one: whatever goes wrong comes back as ERROR, never as a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gates.policy import Policy
from gates.rules import coverage, distribution, doubts, duplicates, integrity, leakage, privacy, provenance, routing
from gates.rules.base import Finding, Gate, GateInputs, Outcome, Verdict, doubtful, verdict_of, worst

GATES: dict[str, Gate] = {
    gate.id: gate
    for gate in (
        coverage.GATE,
        integrity.GATE,
        provenance.GATE,
        privacy.GATE,
        duplicates.GATE,
        leakage.GATE,
        distribution.GATE,
        routing.GATE,
    )
}

# The rules that every gate has, under its own letter.
COMMON = {
    "900": "the gate is installed",
    "901": "the gate could be evaluated to its end",
    "902": "the frozen files and the facts are whole and about this content",
    "903": "everything that was expected was examined, and that is more than nothing",
    "904": "the outcome has the form of one",
    "905": "figures and evidence are whole numbers, texts and lists",
}


def rules_of(gate: Gate) -> dict[str, str]:
    return {**gate.rules, **{f"{gate.id}.{gate.letter}{number}": words for number, words in COMMON.items()}}


def evaluate(gate_id: str, inputs: GateInputs, policy: Policy, gates: Mapping[str, Gate] = GATES) -> Outcome:
    """The outcome of one gate. Never raises for what the gate does; ERROR says what happened, without any text."""
    gate = gates.get(gate_id)
    if gate is None:
        finding = doubtful(f"{gate_id}.X900", f"The policy asks for the gate {gate_id}, which is not installed.")
        return Outcome(gate_id, Verdict.ERROR, 0, 0, (finding,), next_steps=(finding.message,))
    prefix = f"{gate.id}.{gate.letter}"
    try:
        found = list(doubts.about_candidate(inputs))
        if gate.needs_facts:
            found += doubts.about_facts(inputs)
        if found:
            return _unbelieved(gate, inputs, [doubtful(f"{prefix}902", f"Not to be believed: {one}.") for one in found])
        return checked(gate, gate.judge(inputs, policy))
    except (Exception, SystemExit) as error:  # fails closed: whatever a gate does, the answer is a verdict
        where = crash_site(error)
        finding = doubtful(f"{prefix}901", f"The gate crashed: {where}. Mend the cause and run the gates again.")
        return Outcome(gate.id, Verdict.ERROR, 0, 0, (finding,), next_steps=(finding.message,))


def _unbelieved(gate: Gate, inputs: GateInputs, found: Sequence[Finding]) -> Outcome:
    """Facts or files that are in doubt are not judged at all: any figure from them would mislead."""
    steps = tuple(one.message for one in found)
    return Outcome(gate.id, Verdict.ERROR, 0, inputs.compiled, tuple(found), next_steps=steps)


def checked(gate: Gate, returned: object) -> Outcome:
    """The outcome as it may count: its form, its counts and its findings decide, not the word it brings."""
    prefix = f"{gate.id}.{gate.letter}"
    if not isinstance(returned, Outcome) or returned.gate != gate.id or not _formed(returned):
        finding = doubtful(f"{prefix}904", f"The gate returned no outcome ({type(returned).__name__}). Mend its code.")
        return Outcome(gate.id, Verdict.ERROR, 0, 0, (finding,), next_steps=(finding.message,))
    doubt = []
    if returned.expected == 0 or returned.examined != returned.expected:
        counts = f"{returned.examined} of {returned.expected}"
        doubt.append(doubtful(f"{prefix}903", f"Examined {counts}. Build or scan again until all is there."))
    if not _plain(returned.figures) or not all(_plain(one.evidence) for one in returned.findings):
        doubt.append(
            doubtful(f"{prefix}905", "A figure is no whole number (a share of nothing?). Mend the gate's code.")
        )
        returned = replace(returned, figures={}, findings=tuple(replace(one, evidence={}) for one in returned.findings))
    findings = (*doubt, *returned.findings)
    verdict = worst([verdict_of(returned.verdict), *(one.verdict for one in findings)])
    steps = tuple(dict.fromkeys([*(one.message for one in doubt), *returned.next_steps]))
    return replace(returned, verdict=verdict, findings=findings, next_steps=steps)


def _formed(outcome: Outcome) -> bool:
    """Types are asked again at run time: a gate may be anybody's code."""
    kinds: dict[str, type] = {"findings": tuple, "next_steps": tuple, "figures": Mapping}
    if not all(isinstance(getattr(outcome, name), kind) for name, kind in kinds.items()):
        return False
    parts: tuple[object, ...] = outcome.findings
    counted = all(isinstance(one, Finding) and _count(one.count) for one in parts)
    return counted and _count(outcome.examined) and _count(outcome.expected)


def _count(value: object) -> bool:
    return type(value) is int and value >= 0


def _plain(value: Any) -> bool:
    """JSON without floats: NaN is neither over nor under any limit, and a ratio travels as basis points."""
    if value is None or isinstance(value, bool | int | str):
        return True
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    return isinstance(value, list | tuple) and all(_plain(item) for item in value)


def crash_site(error: BaseException) -> str:
    """Class and place of an exception; its message may hold text of a conversation."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    place = "/".join(trace.tb_frame.f_code.co_filename.split("/")[-3:])
    return f"{type(error).__name__} at {place}:{trace.tb_lineno}"
