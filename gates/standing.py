"""Which verdicts count now, and what is in the way: the rows against what is current. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from gates import known_scanner
from gates.inputs import inputs_digest
from gates.models import GateResult
from gates.policy import current_policy
from gates.rules.base import Verdict
from mhds.reading import once
from releases.lifecycle import Evidence
from releases.models import Candidate

# Everything whose change may change a verdict: the rules, and the comparison that they rest on.
CODE = (
    "policy.py",
    "rules",
    "scan/clusters.py",
    "scan/marks.py",
    "scan/near.py",
    "scan/fingerprints.py",
    "scan/facts.py",
)
WORDS = {
    "content_digest": "the content",
    "code_version": "the code of the gates",
    "policy_digest": "the policy",
    "facts_digest": "the facts",
    "scanner_digest": "the scanner",
    "inputs_digest": "decisions, waivers, coverage, inventory or earlier releases",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest result of a gate that the policy asks for; ``outdated_by`` says in words what changed since."""

    gate: str
    result: GateResult | None
    outdated_by: tuple[str, ...] = ()

    @property
    def outdated(self) -> str:
        """What changed since, in words; empty for a result that is current."""
        return " and ".join(self.outdated_by)

    @property
    def current(self) -> bool:
        return self.result is not None and not self.outdated_by

    @property
    def passed(self) -> bool:
        return self.current and self.result is not None and self.result.verdict == Verdict.PASS.value

    @property
    def blocker(self) -> str:
        """Why this gate is in the way, in words; empty when it is not."""
        if self.passed:
            return ""
        if self.result is None:
            return f"the gate {self.gate} has not been run"
        if self.outdated_by:
            return f"the result of the gate {self.gate} is outdated: {self.outdated} changed since"
        steps = self.result.next_steps
        todo = f": {steps[0]}" if steps else ""
        return f"the gate {self.gate} says {self.result.verdict}{todo}"


@cache
def code_version() -> str:
    """``sha256:`` over the source of everything that can change a verdict, so no version has to be raised by hand."""
    here = Path(__file__).parent
    paths = [
        path for name in CODE for path in ((here / name).glob("*.py") if (here / name).is_dir() else [here / name])
    ]
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.relative_to(here).as_posix()):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(here).as_posix()} {len(body)}\n".encode() + body)
    return "sha256:" + digest.hexdigest()


def scanner_in_use() -> str:
    """Digest of the scanner that this code and these packages make."""
    return known_scanner.remembered(_built_scanner)


def _built_scanner() -> str:
    # Loads recognisers and vocabularies, and must not be imported before a worker forks.
    from gates import engine  # noqa: PLC0415

    return engine.scanner().digest


@once
def standing_results(
    candidate: Candidate, *, scanner_digest: str | None = None, now: datetime | None = None
) -> dict[str, Standing]:
    """By gate of the policy, in its order. ``scanner_digest`` None asks the scanner of this process."""
    current = {
        "content_digest": candidate.content_digest,
        "code_version": code_version(),
        "policy_digest": current_policy().digest,
        "scanner_digest": scanner_in_use() if scanner_digest is None else scanner_digest,
        "inputs_digest": inputs_digest(candidate, now),
    }
    rows = list(GateResult.objects.of(candidate))
    bound = [row for row in rows if not changes(row, current)]
    # Facts are a pure function of content and scanner: two of them mean that neither can be believed.
    disagree = len({row.facts_digest for row in bound}) > 1
    return {gate: _standing(gate, rows, current, disagree=disagree) for gate in current_policy().gates}


def changes(row: GateResult, current: dict[str, str]) -> tuple[str, ...]:
    return tuple(WORDS[name] for name in current if getattr(row, name) != current[name])


def _standing(gate: str, rows: Iterable[GateResult], current: dict[str, str], *, disagree: bool) -> Standing:
    mine = [row for row in rows if row.gate == gate]
    bound = [row for row in mine if not changes(row, current)]
    if bound:
        return Standing(gate, deciding(bound), (WORDS["facts_digest"],) if disagree else ())
    if mine:
        return Standing(gate, mine[-1], changes(mine[-1], current))
    return Standing(gate, None)


def deciding(rows: Sequence[GateResult]) -> GateResult:
    """Of results on the same inputs: a contradiction for ever, else the conclusion, else the newest crash."""
    contradicting = [row for row in rows if row.contradicts_id]
    concluded = [row for row in rows if row.concluded]
    return (contradicting or concluded or list(rows))[-1]


def current_results(candidate: Candidate, *, scanner_digest: str | None = None) -> dict[str, GateResult | None]:
    """Gate -> its result that counts now, None where there is none or it is outdated."""
    found = standing_results(candidate, scanner_digest=scanner_digest)
    return {gate: one.result if one.current else None for gate, one in found.items()}


def blockers(candidate: Candidate, *, scanner_digest: str | None = None) -> tuple[str, ...]:
    """Every gate of the policy without a current PASS, in words. Empty is the only way on."""
    found = standing_results(candidate, scanner_digest=scanner_digest)
    return tuple(one.blocker for one in found.values() if one.blocker)


def waived_families(candidate: Candidate, *, scanner_digest: str | None = None) -> frozenset[str]:
    """Families that coverage lets pass by a waiver in force: what the matrix shows as *waived*."""
    result = current_results(candidate, scanner_digest=scanner_digest).get("coverage")
    findings = result.findings if result is not None else []
    return frozenset(
        one["subject"] for one in findings if one["rule"] == "coverage.C001" and one["settled_by"].startswith("waiver:")
    )


def gates_evidence(candidate: Candidate) -> Evidence:
    """The collector ``gates`` of ``releases.evidence``."""
    return Evidence("gates", blockers(candidate))
