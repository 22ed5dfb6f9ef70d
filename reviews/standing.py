"""What there is to sign, and which signatures are current: computed from digests each time, never stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.inputs import waivers_in_force
from gates.standing import gates_evidence, standing_results
from mhds.reading import once
from releases.evidence import frozen
from releases.lifecycle import Evidence
from releases.models import Candidate
from reviews.binding import digest_of, rounds_of
from reviews.evidence import rounds_evidence
from reviews.judging import facts_of
from reviews.models import Round, Seat, Signature
from reviews.people import contributions
from reviews.plans import RoundKind
from reviews.statements import signoff_statement
from reviews.states import Decision, Meaning, RoundState

_ROUND_WORDS = {"verdict": "the verdict", "evaluation": "the scores", "plan": "the plan", "rubric": "the rubric"}


@dataclass(frozen=True, slots=True)
class SigningView:
    """Everything a signer has before them. ``statement`` is empty while a round is open; ``blockers`` says so."""

    content_digest: str
    statement: str
    statement_digest: str
    evidence: dict[str, Any]
    previous_digest: str
    blockers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one meaning stands: missing, signed and current, outdated by what, or declined."""

    meaning: Meaning
    signature: Signature | None
    outdated_by: tuple[str, ...] = ()

    @property
    def current(self) -> bool:
        signed = self.signature is not None and self.signature.decision == Decision.SIGNED
        return signed and not self.outdated_by

    @property
    def words(self) -> str:
        name = f"the signature of the {self.meaning.value.replace('_', ' ')}"
        if self.signature is None:
            return f"{name} is missing"
        if self.signature.decision == Decision.DECLINED:
            return f"{self.signature.signer_name} declined to sign as {self.meaning.value.replace('_', ' ')}"
        if self.outdated_by:
            return f"{name} is outdated: {' and '.join(self.outdated_by)} changed since"
        return f"{name} is current"


def blockers(candidate: Candidate) -> tuple[str, ...]:
    """What must be in order before anyone signs: frozen bytes, gates and rounds, as of now."""
    found = (frozen(candidate), gates_evidence(candidate), rounds_evidence(candidate))
    return tuple(text for one in found for text in one.missing)


def signing_view(candidate: Candidate) -> SigningView:
    statement = statement_of(candidate)
    return SigningView(
        content_digest=candidate.content_digest,
        statement=statement,
        statement_digest=digest_of(statement),
        evidence=snapshot(candidate),
        previous_digest=_previous(candidate),
        blockers=blockers(candidate),
    )


def _previous(candidate: Candidate) -> str:
    """The digest that was signed last before this one, of any release."""
    earlier = Signature.objects.filter(decision=Decision.SIGNED).exclude(content_digest=candidate.content_digest)
    return earlier.order_by("-signed_at").values_list("content_digest", flat=True).first() or ""


@once
def statement_of(candidate: Candidate) -> str:
    """The sentences to sign; empty unless all four rounds are evaluated."""
    rounds = rounds_of(candidate)
    if len(rounds) != len(RoundKind) or any(one.state != RoundState.EVALUATED for one in rounds):
        return ""
    return signoff_statement([facts_of(one) for one in rounds], family_sizes(candidate))


def family_sizes(candidate: Candidate) -> dict[str, int]:
    """Records of every family of the catalog, absent ones with 0, from the frozen files."""
    sizes = {family.id: 0 for family in candidate.catalog_version.catalog.families}
    for file in candidate.files:
        if file["role"] == "data":
            sizes[file["family"]] = sizes.get(file["family"], 0) + file["records"]
    return sizes


@once
def snapshot(candidate: Candidate) -> dict[str, Any]:
    """Digests of all that a signature rests on, by what each is called when it changes."""
    return {
        "content": candidate.content_digest,
        "rounds": {one.kind: _round(one) for one in rounds_of(candidate)},
        "gates": {
            gate: {"verdict": one.result.verdict, "report_sha256": one.result.report_sha256} if one.result else {}
            for gate, one in standing_results(candidate).items()
        },
        "waivers": sorted(str(one.pk) for one in waivers_in_force(candidate)),
    }


def _round(round_: Round) -> dict[str, str]:
    evaluation = round_.evaluation
    return {
        "verdict": evaluation.verdict if evaluation else "",
        "evaluation": evaluation.digest if evaluation else "",
        "plan": round_.plan_digest,
        # As the shipped text is now, not as the round remembers it: an edited rubric outdates.
        "rubric": round_.rubric_digest_now,
    }


@once
def seats_of(candidate: Candidate) -> list[Seat]:
    return list(Seat.objects.filter(candidate=candidate).select_related("signature"))


def standing(candidate: Candidate, view: SigningView | None = None) -> dict[Meaning, Standing]:
    """Each meaning's signature in force, with what has changed since it was given. ``view`` where it is at hand."""
    signatures = {seat.meaning: seat.signature for seat in seats_of(candidate)}
    if not signatures:
        return {meaning: Standing(meaning, None) for meaning in Meaning}
    now, statement = (view.evidence, view.statement) if view else (snapshot(candidate), statement_of(candidate))
    hands = contributions(candidate)
    return {meaning: _stands(meaning, signatures.get(meaning.value), now, statement, hands) for meaning in Meaning}


@once
def signatures_evidence(candidate: Candidate) -> Evidence:
    """The collector *signatures*: three current signatures, which the seats' constraints make three people's."""
    return Evidence("signatures", tuple(one.words for one in standing(candidate).values() if not one.current))


def _stands(
    meaning: Meaning, signature: Signature | None, now: Mapping[str, Any], statement: str, hands: Mapping[Any, Any]
) -> Standing:
    if signature is None:
        return Standing(meaning, None)
    changed = list(changes(signature.evidence, now))
    if not changed and signature.statement_digest != digest_of(statement):
        changed.append("the statement")
    if digest_of(signature.evidence) != signature.evidence_digest or signature.content_digest != now["content"]:
        changed.append("the signed record")
    if signature.signer_id in hands:
        changed.append("the signer's hand in the candidate")
    return Standing(meaning, signature, tuple(dict.fromkeys(changed)))


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two snapshots, in words."""
    if then["content"] != now["content"]:
        yield "the content"
    for kind in sorted({*then["rounds"], *now["rounds"]}):
        old, new = then["rounds"].get(kind, {}), now["rounds"].get(kind, {})
        name = kind.replace("_", " ")
        yield from (f"{words} of round {name}" for key, words in _ROUND_WORDS.items() if old.get(key) != new.get(key))
    for gate in sorted({*then["gates"], *now["gates"]}):
        if then["gates"].get(gate) != now["gates"].get(gate):
            yield f"the gate {gate}"
    if then["waivers"] != now["waivers"]:
        yield "the waivers in force"
