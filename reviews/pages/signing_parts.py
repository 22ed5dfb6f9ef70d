"""What a signer reads before signing, put together from rows: content, evidence, signatures, their own part.

Counts and names only; no score by person, no text. Whether somebody may sign is the service's to say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from gates.inputs import waivers_in_force
from gates.models import Waiver
from mhds.models import User
from releases.models import Candidate
from reviews.binding import alarms, rounds_of
from reviews.models import Assignment, Evaluation, Round, Signature
from reviews.people import contributions
from reviews.plans import RoundKind
from reviews.standing import SigningView, Standing
from reviews.statements import WORDS
from reviews.states import SCORED, Decision, Meaning

SPLITS = ("train", "val", "test")
BLOCK, LEADING = 4, 2


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest to compare by eye: blocks of four, the first two apart."""

    full: str
    head: str
    tail: str

    @property
    def short(self) -> str:
        return self.head.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was signed last before this content; ``candidate`` is None where its row is not here any more."""

    digest: Digest
    candidate: Candidate | None
    records: int
    more: int


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round in figures. ``settled`` counts records settled by a third person; None while nobody adjudicates."""

    kind: RoundKind
    round: Round
    evaluation: Evaluation | None
    scored: int = 0
    settled: int | None = None
    criticals: int = 0
    majors: int = 0
    flagged: int = 0

    @property
    def style(self) -> str:
        verdict = self.evaluation.verdict if self.evaluation else ""
        return {"pass": "PASS", "fail": "FAIL", "inconclusive": "blocked"}.get(verdict, "")


@dataclass(frozen=True, slots=True)
class Evidence:
    rounds: list[RoundLine]
    gates_passed: int
    gates: int
    waivers: list[tuple[Waiver, int]]
    readers: list[tuple[str, int]]
    alarms: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Past:
    """One signature as it stands now. ``word`` is a state of signatures; ``why`` says by what, or for what reason."""

    signature: Signature
    word: str
    why: str = ""


def digest_shown(digest: str) -> Digest:
    body = digest.removeprefix("sha256:")
    blocks = [body[start : start + BLOCK] for start in range(0, len(body), BLOCK)]
    return Digest(digest, " ".join(blocks[:LEADING]), " ".join(blocks[LEADING:]))


def records_by_split(candidate: Candidate) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for file in candidate.files:
        if file["role"] == "data":
            found[file["split"]] += file["records"]
    return [(split, found[split]) for split in SPLITS]


def earlier(candidate: Candidate, view: SigningView) -> Earlier | None:
    if not view.previous_digest:
        return None
    rows = Candidate.objects.filter(content_digest=view.previous_digest, same_as=None).select_related("release")
    before = rows.first()
    records = before.records_out if before else 0
    return Earlier(digest_shown(view.previous_digest), before, records, candidate.records_out - records)


def evidence(candidate: Candidate, view: SigningView) -> Evidence:
    opened = {one.kind: one for one in rounds_of(candidate)}
    lines = [round_line(opened[kind.value]) for kind in RoundKind if kind.value in opened]
    now = timezone.now()
    waivers = waivers_in_force(candidate)
    passed = [one.get("verdict") == "PASS" for one in view.evidence["gates"].values()]
    return Evidence(
        rounds=lines,
        gates_passed=sum(passed),
        gates=len(passed),
        waivers=[(one, (one.expires_at - now).days) for one in waivers],
        readers=readers(candidate),
        alarms=alarms(candidate)[0],
        flagged=sum(one.flagged for one in lines),
    )


def round_line(round_: Round) -> RoundLine:
    evaluation = round_.evaluation
    if evaluation is None:
        return RoundLine(round_.round_kind, round_, None)
    shown: dict[str, Any] = evaluation.figures
    standings: dict[str, int] = shown["by_standing"]
    return RoundLine(
        kind=round_.round_kind,
        round=round_,
        evaluation=evaluation,
        scored=shown["drawn"] - standings.get("missing", 0) - standings.get("unreadable", 0),
        settled=shown.get("adjudicated"),
        criticals=standings.get("critical", 0),
        majors=shown["failed"] + shown["unconfirmed"],
        flagged=shown["flagged"],
    )


def readers(candidate: Candidate) -> list[tuple[str, int]]:
    """How many people read for each kind of round, by what the sentences call them; nobody by name."""
    mine = Assignment.objects.filter(item__round__candidate=candidate, state__in=SCORED)
    people: dict[str, set[Any]] = {}
    for kind, person in mine.values_list("item__round__kind", "reviewer_id").distinct():
        people.setdefault(WORDS[RoundKind(kind)].reader, set()).add(person)
    plural = {words.reader: words.readers for words in WORDS.values()}
    return [(plural[one] if len(who) > 1 else one, len(who)) for one, who in sorted(people.items())]


def past(candidate: Candidate, stands: dict[Meaning, Standing]) -> list[Past]:
    """Every signature ever given to this candidate, the newest first."""
    seats = {one.signature.pk: one for one in stands.values() if one.signature}
    rows = Signature.objects.filter(candidate=candidate).select_related("withdrawal", "signer")
    return [_past(one, seats.get(one.pk)) for one in rows.order_by("-signed_at", "pk")]


def _past(signature: Signature, seat: Standing | None) -> Past:
    withdrawal = getattr(signature, "withdrawal", None)
    declined = signature.decision == Decision.DECLINED
    if withdrawal is not None:
        return Past(signature, "withdrawn", withdrawal.reason)
    if seat is None:
        return Past(signature, "replaced", "another was given later")
    if declined:
        return Past(signature, "declined", signature.notes)
    if seat.outdated_by:
        return Past(signature, "outdated", f"by {' and '.join(seat.outdated_by)}")
    return Past(signature, "current")


def own_part(candidate: Candidate, user: User, lines: list[RoundLine], waivers: list[tuple[Waiver, int]]) -> list[str]:
    """What the system knows that this person did in this release, in words that follow *you*."""
    found = [
        HANDS.get(how, f"contributed ({how.replace('_', ' ')})") for how in contributions(candidate).get(user.pk, [])
    ]
    opened = [one.round.kind for one in lines if one.round.opened_by_id == user.pk]
    if opened:
        found.append(f"opened {len(opened)} of its {len(lines)} rounds")
    mine = Assignment.objects.filter(item__round__candidate=candidate, reviewer=user, state__in=SCORED)
    counts = Counter(mine.values_list("item__round__kind", flat=True))
    found += [f"scored {count:,} conversations in {kind}" for kind, count in sorted(counts.items())]
    asked = sum(one.asked_by_id == user.pk for one, _days in waivers)
    granted = sum(one.granted_by_id == user.pk for one, _days in waivers)
    if asked:
        found.append(f"asked for {asked} of the waivers in force")
    if granted:
        found.append(f"granted {granted} of the waivers in force")
    return found


HANDS = {
    "built": "built a candidate of it",
    "catalog": "imported its catalog",
    "exclusion": "decided what was left out",
    "policy": "changed its policy",
}
