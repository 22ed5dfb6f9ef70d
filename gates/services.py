"""Run the gates and keep what they say. What people decide is in ``gates.decisions``, what counts in ``standing``."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from gates.decisions import (
    ask_waiver,
    decide_exclusion,
    decide_exclusions,
    decide_source,
    explain_figure,
    grant_waiver,
)
from gates.inputs import gate_inputs, inputs_digest
from gates.models import GateResult
from gates.policy import Policy, current_policy
from gates.reports import report
from gates.rules.base import GateInputs, Outcome, Verdict, doubtful
from gates.rules.registry import GATES, evaluate
from gates.scan.facts import Facts
from gates.standing import (
    Standing,
    blockers,
    code_version,
    current_results,
    gates_evidence,
    scanner_in_use,
    standing_results,
    waived_families,
)
from mhds import audit
from mhds.access import require
from mhds.errors import Conflict, MhdsError, StorageUnavailable
from mhds.models import User
from mhds.roles import Role
from mhds.storage.base import ObjectStore
from releases import stores
from releases.models import Candidate

NO_FACTS = "sha256:" + "0" * 64
RUNNERS = (Role.ENGINEER, Role.LEAD, Role.COMPLIANCE)


@dataclass(frozen=True, slots=True)
class _Ruled:
    """One outcome on its way to a row."""

    outcome: Outcome
    seconds: float

    @property
    def concluded(self) -> bool:
        """False when the gate did not come to its end: such a result may be followed by another."""
        return not any(one.rule.endswith("901") for one in self.outcome.findings)


def run_gates(
    candidate: Candidate,
    facts: Facts | None,
    *,
    actor: User | None,
    storage: ObjectStore | None = None,
    scanner_digest: str | None = None,
) -> list[GateResult]:
    """Evaluate every gate of the policy and keep each outcome with its report. No fault of a gate or input raises.

    ``storage`` defaults to the bucket, ``scanner_digest`` to the scanner in use. Raises NotAllowed, Conflict where
    there is nothing frozen, StorageUnavailable where the bucket cannot be asked (worth a retry).
    """
    actor = _runner(actor)
    if not candidate.content_digest:
        raise Conflict("the candidate is not built yet", hint="Build it, then run the gates.")
    bucket, policy, now = storage or stores.bucket(), current_policy(), timezone.now()
    digest = scanner_in_use() if scanner_digest is None else scanner_digest
    bound = {
        "content_digest": candidate.content_digest,
        "code_version": code_version(),
        "policy_digest": policy.digest,
        "facts_digest": facts.digest if facts is not None else NO_FACTS,
        "scanner_digest": digest,
        "inputs_digest": inputs_digest(candidate, now),
    }
    try:
        inputs = gate_inputs(candidate, facts, bucket=bucket, policy=policy, scanner_digest=digest, now=now)
    except StorageUnavailable:
        raise
    except (MhdsError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        ruled = [_Ruled(_unread(gate, error), 0.0) for gate in policy.gates]
    else:
        ruled = [_timed(gate, inputs, policy) for gate in policy.gates]
    return _keep(candidate, ruled, bound, actor, bucket)


def _runner(actor: User | None) -> User | None:
    if actor is None and settings.EMBEDDED:
        return None
    return require(actor, *RUNNERS, doing="running the gates")


def _unread(gate: str, error: Exception) -> Outcome:
    """What the gates look at could not be read: the class of a foreign error only, for its words may hold text."""
    why = error.message if isinstance(error, MhdsError) else type(error).__name__
    letter = GATES[gate].letter if gate in GATES else "X"
    finding = doubtful(
        f"{gate}.{letter}901", f"What the gate looks at cannot be read: {why}. Restore it and run again."
    )
    return Outcome(gate, Verdict.ERROR, 0, 0, (finding,), next_steps=(finding.message,))


def _timed(gate: str, inputs: GateInputs, policy: Policy) -> _Ruled:
    started = time.monotonic()
    outcome = evaluate(gate, inputs, policy)
    return _Ruled(outcome, round(time.monotonic() - started, 3))


def _keep(
    candidate: Candidate, ruled: list[_Ruled], bound: Mapping[str, str], actor: User | None, bucket: ObjectStore
) -> list[GateResult]:
    """Reports first (invisible without a row), then rows and one audit event in one transaction."""
    drafts = [_draft(candidate, one, bound, actor, bucket) for one in ruled]
    with transaction.atomic():
        Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
        rows = [_store(draft, bucket) for draft in drafts]
        verdicts = {row.gate: row.verdict for row in rows}
        audit.record(actor, "gates.run", f"candidate:{candidate.pk}", verdicts=verdicts, **bound)
    return rows


def _draft(
    candidate: Candidate, ruled: _Ruled, bound: Mapping[str, str], actor: User | None, bucket: ObjectStore
) -> GateResult:
    outcome = ruled.outcome
    row = GateResult(
        candidate=candidate,
        gate=outcome.gate,
        verdict=outcome.verdict.value,
        concluded=ruled.concluded,
        examined=outcome.examined,
        expected=outcome.expected,
        seconds=ruled.seconds,
        created_by=actor,
        **bound,
    )
    return _reported(row, outcome, bucket)


def _reported(row: GateResult, outcome: Outcome, bucket: ObjectStore) -> GateResult:
    names = {"code": "code_version"} | {name: f"{name}_digest" for name in ("policy", "facts", "scanner", "inputs")}
    body = report(
        outcome,
        version=row.candidate.release.version,
        content_digest=row.content_digest,
        bound_to={name: getattr(row, field) for name, field in names.items()},
    )
    row.findings = [one.as_json() for one in outcome.findings]
    row.figures, row.next_steps = dict(outcome.figures), list(outcome.next_steps)
    row.report_key = f"{row.candidate.staging}gates/{row.pk}/{row.gate}.json"
    row.report_sha256 = hashlib.sha256(body).hexdigest()
    bucket.put_if_absent(row.report_key, body)
    return row


def _store(draft: GateResult, bucket: ObjectStore) -> GateResult:
    """The row, or the one that says the same already. Two conclusions that differ become one lasting ERROR."""
    same = {name: getattr(draft, name) for name in GateResult.BINDING}
    there = GateResult.objects.of(draft.candidate).filter(gate=draft.gate, **same)
    contradiction: GateResult | None = there.filter(contradicts__isnull=False).last()
    earlier: GateResult | None = there.filter(concluded=True, contradicts=None).last()
    if contradiction is not None:
        return contradiction
    if earlier is None or not draft.concluded:
        return _saved(draft)
    # The report is a pure function of the outcome and its binding, so equal hashes are equal outcomes.
    return earlier if earlier.report_sha256 == draft.report_sha256 else _saved(_contradiction(draft, earlier, bucket))


def _saved(row: GateResult) -> GateResult:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Conflict("the gates were run at the same time by somebody else", hint="Run them again.") from None
    return row


def _contradiction(draft: GateResult, earlier: GateResult, bucket: ObjectStore) -> GateResult:
    letter = GATES[draft.gate].letter if draft.gate in GATES else "X"
    words = (
        f"The gate is non-deterministic: it said {earlier.verdict}, then {draft.verdict}, or found other things, on "
        "identical inputs. Mend its code; no rerun can settle this."
    )
    finding = doubtful(
        f"{draft.gate}.{letter}906", words, earlier=str(earlier.pk), earlier_sha256=earlier.report_sha256
    )
    outcome = Outcome(draft.gate, Verdict.ERROR, draft.examined, draft.expected, (finding,), {}, (words,))
    row = GateResult(
        candidate=draft.candidate,
        gate=draft.gate,
        verdict=Verdict.ERROR.value,
        concluded=True,
        contradicts=earlier,
        examined=draft.examined,
        expected=draft.expected,
        seconds=draft.seconds,
        created_by=draft.created_by,
        **{name: getattr(draft, name) for name in GateResult.BINDING},
    )
    return _reported(row, outcome, bucket)


__all__ = [
    "Standing",
    "ask_waiver",
    "blockers",
    "current_results",
    "decide_exclusion",
    "decide_exclusions",
    "decide_source",
    "explain_figure",
    "gates_evidence",
    "grant_waiver",
    "run_gates",
    "standing_results",
    "waived_families",
]
