"""What a release carries of its review: a report for each round, the scores without text, and the sign-off record.

Pure functions of rows: no clock, no float, no note, no comment and no conversation goes in. People appear by name and
credentials in the sign-off record only, and by code (``reviewer-1``) beside scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mhds.client.canonical import encode_canonical
from mhds.errors import Conflict
from mhds.models import User
from releases.models import Candidate
from releases.publishing.attachments import SIGNOFF_RECORD
from reviews.judging import item_verdicts
from reviews.models import Assignment, Draw, Round, Score, Signature
from reviews.people import credentials
from reviews.plans import CONFIDENCE_PERCENT, claim
from reviews.signing import signature_digest
from reviews.standing import standing
from reviews.states import SCORED, Decision, RoundState

SCORES = "reviews/scores.jsonl"


def _utc(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def codes(candidate: Candidate) -> dict[UUID, str]:
    """Reviewer -> code, the same in every file of one release."""
    mine = Assignment.objects.filter(item__round__candidate=candidate, state__in=SCORED)
    people = sorted(set(mine.values_list("reviewer_id", flat=True)), key=str)
    return {person: f"reviewer-{number}" for number, person in enumerate(people, start=1)}


def round_report(round_: Round) -> dict[str, Any]:
    """The sampling protocol of one evaluated round: plan, every draw, what was found, and the sentence it earned."""
    evaluation = round_.evaluation
    if evaluation is None:
        raise Conflict(f"round {round_.kind} is not evaluated", hint="Close it first.")
    candidate = round_.candidate
    return {
        "format": "mhds.round/1",
        "round": round_.kind,
        "version": candidate.release.version,
        "content_digest": round_.content_digest,
        "frozen_at": _utc(candidate.frozen_at),
        "families": list(round_.families),
        "population": round_.population,
        "plan": _plan(round_),
        "rubric": _rubric(round_),
        "draws": [_draw(one) for one in round_.draws.order_by("attempt", "label")],
        "figures": evaluation.figures,
        "records": _records(round_),
        "verdict": evaluation.verdict,
        "reasons": list(evaluation.reasons),
        "statement": evaluation.statement,
        "evaluation_digest": evaluation.digest,
        "evaluated_at": _utc(evaluation.at),
        "earlier_verdicts": [
            {"verdict": one.verdict, "digest": one.digest, "at": _utc(one.at)}
            for one in round_.evaluations.order_by("number")
            if one.pk != evaluation.pk
        ],
    }


def _plan(round_: Round) -> dict[str, Any]:
    plan, stated = round_.plan, claim(round_.plan, round_.population)
    return {
        "id": plan.id,
        "title": plan.title,
        "stages": [{"size": one.size, "accept": one.accept, "reject": one.reject} for one in plan.stages],
        "limit_bp": plan.limit_bp,
        "confidence_percent": CONFIDENCE_PERCENT,
        "at_most": stated.at_most,
        "all_read": stated.all_read,
        "digest": round_.plan_digest,
        "overlap_bp": round_.overlap_bp,
    }


def _rubric(round_: Round) -> dict[str, Any]:
    return {"id": round_.rubric_id, "version": round_.rubric_version, "digest": round_.rubric_digest}


def _draw(draw: Draw) -> dict[str, Any]:
    drawn = [{"ticket": ticket, "record_id": record, "content_hash": digest} for ticket, record, digest in draw.drawn]
    return {
        "attempt": draw.attempt,
        "label": draw.label,
        "nonce": draw.nonce,
        "wanted": draw.wanted,
        "population": draw.population,
        "population_sum": draw.population_sum,
        "reason": draw.reason,
        "at": _utc(draw.at),
        "drawn": drawn,
    }


def _records(round_: Round) -> list[dict[str, Any]]:
    return [
        {"record_id": one.record_id, "standing": one.standing.value, "reasons": list(one.reasons)}
        for one in item_verdicts(round_)
    ]


def score_lines(candidate: Candidate) -> Iterator[dict[str, Any]]:
    """One object for each score that counts, of evaluated rounds: ids, numbers and marks, never words."""
    names = codes(candidate)
    rows = Score.objects.counting().filter(
        assignment__item__round__candidate=candidate, assignment__item__round__state=RoundState.EVALUATED
    )
    found = [_score(one, names) for one in rows.select_related("assignment__item__round")]
    yield from sorted(found, key=lambda row: (row["round"], row["stratum"], row["ordinal"], row["reviewer"]))


def _score(score: Score, names: dict[UUID, str]) -> dict[str, Any]:
    item = score.assignment.item
    return {
        "round": item.round.kind,
        "stratum": item.stratum,
        "ordinal": item.ordinal,
        "record_id": item.record_id,
        "content_hash": score.content_hash,
        "rubric_digest": score.rubric_digest,
        "reviewer": names[score.assignment.reviewer_id],
        "scores": score.payload.get("scores") or {},
        "answers": score.payload.get("answers") or {},
        "criticals": score.payload.get("criticals") or [],
        "findings": score.payload.get("findings") or [],
        "cannot_judge": bool(score.payload.get("cannot_judge")),
        "seconds": score.dwell_seconds,
        "submitted_at": _utc(score.submitted_at),
    }


def signoff_record(candidate: Candidate) -> dict[str, Any]:
    """The certificate: who reviewed and signed what, with sample sizes, rubrics, exceptions, statements and digests."""
    stands = standing(candidate)
    signatures = Signature.objects.filter(candidate=candidate).select_related("signer").order_by("signed_at", "pk")
    rounds = list(Round.objects.of(candidate).select_related("candidate"))
    in_force = {one.signature.pk: one for one in stands.values() if one.signature}
    return {
        "format": "mhds.signoff/1",
        "version": candidate.release.version,
        "content_digest": candidate.content_digest,
        "modelled_on": "21 CFR Part 11",
        "current": all(one.current for one in stands.values()),
        "rounds": sorted((_round_summary(one) for one in rounds), key=lambda row: str(row["round"])),
        "reviewers": _reviewers(candidate),
        "signatures": [
            {**_signature(one), "current": one.pk in in_force and in_force[one.pk].current} for one in signatures
        ],
    }


def _round_summary(round_: Round) -> dict[str, Any]:
    evaluation = round_.evaluation
    return {
        "round": round_.kind,
        "families": list(round_.families),
        "population": round_.population,
        "plan": round_.plan_data["id"],
        "plan_digest": round_.plan_digest,
        "rubric": _rubric(round_),
        "sample": evaluation.figures.get("drawn", 0) if evaluation else 0,
        "people": evaluation.figures.get("people", 0) if evaluation else 0,
        "verdict": evaluation.verdict if evaluation else "",
        "evaluation_digest": evaluation.digest if evaluation else "",
        "statement": evaluation.statement if evaluation else "",
    }


def _reviewers(candidate: Candidate) -> list[dict[str, Any]]:
    """Everyone whose scores count, with credentials and how many records they scored in each round."""
    names = codes(candidate)
    counted: dict[UUID, dict[str, int]] = {person: {} for person in names}
    rows = Assignment.objects.filter(item__round__candidate=candidate, state__in=SCORED)
    for person, kind in rows.values_list("reviewer_id", "item__round__kind"):
        counted[person][kind] = counted[person].get(kind, 0) + 1
    people = {one.pk: one for one in User.objects.filter(pk__in=names)}
    return [{"code": code, **credentials(people[person]), "scored": counted[person]} for person, code in names.items()]


def _signature(signature: Signature) -> dict[str, Any]:
    withdrawal = getattr(signature, "withdrawal", None)
    return {
        "id": str(signature.pk),
        "meaning": signature.meaning,
        "decision": signature.decision,
        "signer": {"id": str(signature.signer_id), **signature.credentials, "name": signature.signer_name},
        "capacity": signature.capacity,
        "statement": signature.statement,
        "statement_digest": signature.statement_digest,
        "exceptions": signature.exceptions,
        "notes": signature.notes if signature.decision == Decision.SIGNED else "",
        "content_digest": signature.content_digest,
        "evidence": signature.evidence,
        "evidence_digest": signature.evidence_digest,
        "signed_at": _utc(signature.signed_at),
        "digest": signature_digest(signature),
        "withdrawn_at": _utc(withdrawal.at) if withdrawal else "",
    }


def release_files(candidate: Candidate) -> dict[str, bytes]:
    """Path below the release prefix -> bytes, in canonical JSON."""
    files = {f"reviews/{one.kind}.json": encode_canonical(round_report(one)) for one in Round.objects.of(candidate)}
    files[SCORES] = b"".join(encode_canonical(line) + b"\n" for line in score_lines(candidate))
    files[SIGNOFF_RECORD] = encode_canonical(signoff_record(candidate))
    return files
