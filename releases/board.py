"""What the pages of a release say, computed from rows: the sentence of what is in the way, the stations, the groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from mhds.models import User, WorkItem, WorkState
from releases import coverage, evidence, next_acts, starting
from releases.catalog.types import Source
from releases.lifecycle import Evidence, State
from releases.models import Candidate, CandidateEvent, Release, SourceDecision
from releases.next_acts import Step

MOVING = {State.DRAFT, State.BUILDING, State.GATING, State.PUBLISHING}
FINAL = {State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN}  # the one candidate that a release then shows
ENDED = {State.WITHDRAWN, State.REJECTED, State.ABANDONED}
STATIONS = ("Sources", "Coverage", "Build", "Gates", "Review", "Sign-off", "Publish", "Consumed")
# How many stations a state has behind it, and whether it stands still there.
REACHED = {
    State.DRAFT: 0,
    State.BUILDING: 2,
    State.GATING: 3,
    State.BLOCKED: 3,
    State.IN_REVIEW: 4,
    State.REJECTED: 4,
    State.IN_SIGNOFF: 5,
    State.APPROVED: 6,
    State.PUBLISHING: 6,
    State.PUBLISHED: 7,
    State.WITHDRAWN: 7,
    State.ABANDONED: 2,
}
NAMED = 3  # reasons that the first sentence names
# The collectors whose word counts while a candidate stands in a state, in the order of the way.
ASKED = {
    State.BLOCKED: ("gates",),
    State.GATING: ("gates",),
    State.IN_REVIEW: ("gates", "rounds"),
    State.IN_SIGNOFF: ("gates", "rounds", "signatures"),
    State.APPROVED: ("gates", "rounds", "signatures", "storage"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The first sentence of a page: ``style`` colours it, ``reasons`` are listed below it."""

    style: str
    icon: str
    sentence: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Station:
    name: str
    mark: str  # done, here, blocked, ahead
    note: str


def collected(candidate: Candidate) -> tuple[Evidence, ...]:
    """The evidence of this moment that counts in the candidate's state."""
    asked = () if candidate.error else ASKED.get(State(candidate.state), ())
    known = [evidence.COLLECTORS[name] for name in asked if name in evidence.COLLECTORS]
    return tuple(collector(candidate) for collector in known)


def answer(candidate: Candidate, collected: tuple[Evidence, ...]) -> Answer:
    """The sentence that this evidence amounts to; a board of many releases gives what the last move recorded."""
    state = State(candidate.state)
    if candidate.error and state not in ENDED:
        step, message = candidate.error.get("step", "a step"), candidate.error.get("message", "")
        return Answer("fail", "error", f"The {step} step could not be done: {message}")
    return _from_evidence(state, collected) if state in ASKED else PLAIN[state]


PLAIN = {
    State.DRAFT: Answer("wait", "waiting", "Nothing was built yet; a worker takes it up next."),
    State.BUILDING: Answer("run", "running", "Nothing is in the way: the candidate is being built."),
    State.PUBLISHING: Answer("run", "running", "Nothing is in the way: the release is being written."),
    State.PUBLISHED: Answer("pass", "pass", "Nothing is in the way: this release is published."),
    State.WITHDRAWN: Answer("fail", "fail", "This release was withdrawn; the API answers 410 with the reason."),
    State.REJECTED: Answer("fail", "fail", "A round of review failed; this candidate is rejected. Build a new one."),
    State.ABANDONED: Answer("wait", "outdated", "This candidate was abandoned; look at the release's newest one."),
}
NEXT = {
    State.GATING: "Nothing is in the way: the gates are running.",
    State.BLOCKED: "Nothing is in the way any more: run the gates again.",
    State.IN_REVIEW: "All gates pass and every round is decided: the lead moves it to sign-off.",
    State.IN_SIGNOFF: "All signatures are current: the lead approves.",
    State.APPROVED: "Nothing is in the way: a lead may publish.",
}


def _from_evidence(state: State, collected: tuple[Evidence, ...]) -> Answer:
    found = {one.name: one for one in collected}
    reasons = tuple(
        reason
        for name in ASKED[state]
        for reason in (found[name].missing if name in found else (f"{name}: nothing is recorded yet",))
    )
    if state is State.GATING:
        return Answer("run", "running", NEXT[state])
    if not reasons:
        return Answer("pass", "pass", NEXT[state])
    style = "fail" if state is State.BLOCKED else "wait"
    return Answer(style, "fail" if style == "fail" else "waived", _sentence(reasons), reasons)


def _sentence(reasons: tuple[str, ...]) -> str:
    """One reason is said whole; of several only who says what, for the list below says the rest."""
    if len(reasons) == 1:
        return _ended(reasons[0][0].upper() + reasons[0][1:])
    tails = {reason.partition(": ")[2] for reason in reasons}
    if len(reasons) > NAMED and len(tails) == 1 and tails != {""}:
        return _ended(f"{len(reasons)} things are in the way, all for one reason: {tails.pop()}")
    heads = list(dict.fromkeys(reason.partition(": ")[0] for reason in reasons))
    named = heads if len(heads) <= NAMED else [*heads[:NAMED], f"{len(heads) - NAMED} more"]
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return _ended(f"{len(reasons)} things are in the way: {listed}")


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "…")) else f"{sentence}."


def stations(candidate: Candidate, said: Answer) -> list[Station]:
    """The way of the release with where it stands; a mark per station, the count of reasons at the one reached."""
    state = State(candidate.state)
    reached = REACHED[state]
    stuck = state in {State.BLOCKED, State.REJECTED, State.WITHDRAWN} or bool(candidate.error)
    notes = _notes(candidate)
    if said.reasons:
        notes[STATIONS[reached]] = f"{len(said.reasons)} in the way"
    made = []
    for position, name in enumerate(STATIONS):
        mark = "done" if position < reached else "ahead"
        if position == reached:
            mark = "blocked" if stuck else "here"
        made.append(Station(name, mark, notes.get(name, "")))
    return made


def _notes(candidate: Candidate) -> dict[str, str]:
    objects = candidate.objects_by_status
    statuses = coverage.statuses(candidate.coverage)
    present = sum(status == coverage.PRESENT for status in statuses.values())
    return {
        "Sources": f"{sum(objects.values()):,} objects, {objects.get('refused', 0):,} refused" if objects else "",
        "Coverage": f"{present} of {len(statuses)} present" if statuses else "",
        "Build": f"{candidate.records_out:,} records" if candidate.content_digest else "",
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the board. ``live`` rows ask again: at once when they are seen, or every few seconds while moving."""

    release: Release
    candidate: Candidate | None
    answer: Answer | None
    steps: tuple[Step, ...] = ()

    @property
    def mine(self) -> bool:
        return any(one.mine for one in self.steps)

    @property
    def moving(self) -> bool:
        return self.candidate is not None and State(self.candidate.state) in MOVING and not self.candidate.error

    @property
    def asked(self) -> bool:
        return self.candidate is not None and State(self.candidate.state) in ASKED


def lines(releases: Iterable[Release], user: User) -> list[Line]:
    """The board's rows in a fixed number of queries, with the evidence that each candidate's last move recorded."""
    wanted = list(releases)
    by_release: dict[UUID, list[Candidate]] = {}
    for candidate in (
        Candidate.objects.filter(release__in=wanted)
        .select_related("release")
        .defer("files", "build_facts")
        .order_by("number")
    ):
        by_release.setdefault(candidate.release_id, []).append(candidate)
    meant = {pk: shown(candidates) for pk, candidates in by_release.items()}
    events = CandidateEvent.objects.filter(candidate__in=[one.pk for one in meant.values() if one]).order_by("seq")
    last = {event.candidate_id: event.evidence for event in events}
    steps = next_acts.steps([one for one in meant.values() if one], last, user)
    return [_line(release, meant.get(release.pk), last, steps) for release in wanted]


def line(release: Release, candidate: Candidate | None, user: User) -> Line:
    """One row by itself, from evidence of this moment."""
    if candidate is None:
        return Line(release, None, None)
    found = collected(candidate)
    return Line(release, candidate, answer(candidate, found), next_acts.steps_of(candidate, found, user))


def shown(candidates: Iterable[Candidate]) -> Candidate | None:
    """The one that a release shows (querysets.shown_for), of its candidates by number."""
    own = [one for one in candidates if one.same_as_id is None]
    final = [one for one in own if State(one.state) in FINAL]
    kept = final or own[-1:]
    return kept[0] if kept else None


def _line(
    release: Release,
    candidate: Candidate | None,
    last: Mapping[UUID, dict[str, list[str]]],
    steps: Mapping[UUID, tuple[Step, ...]],
) -> Line:
    if candidate is None:
        return Line(release, None, None)
    found = tuple(Evidence(name, tuple(missing)) for name, missing in last.get(candidate.pk, {}).items())
    return Line(release, candidate, answer(candidate, found), steps.get(candidate.pk, ()))


def work_of(candidate: Candidate) -> QuerySet[WorkItem]:
    """Every piece of work on a candidate: its steps, and the scan of each of its shards."""
    mine = Q(group=starting.group_of(candidate)) | Q(group__startswith=f"scan:{candidate.pk}:")
    return WorkItem.objects.filter(mine).order_by("created_at")


def is_moving(candidate: Candidate, work: Iterable[WorkItem]) -> bool:
    """True while the page has to look again: a state that workers leave by themselves, or work that is asked for."""
    if candidate.error:
        return False
    pending = {WorkState.WAITING, WorkState.RUNNING}
    return State(candidate.state) in MOVING or any(one.state in pending for one in work)


def source_doubt(source: Source, decision: SourceDecision | None) -> str:
    """Why a source is not read, "" where it is; ``decision`` is the newest on this very row."""
    return source.standing(decision.kind, decision.because) if decision is not None else source.standing()


def group_of(one: Line) -> str:
    if one.candidate is None:
        return "Moving"
    state = State(one.candidate.state)
    if state in MOVING and not (one.candidate.error and one.mine):
        return "Moving"
    if state is State.PUBLISHED:
        return "Published"
    if state in ENDED:
        return "Ended"
    return GROUPS[0] if one.mine else GROUPS[1]


GROUPS = ("Waiting for you", "Waiting for somebody else", "Moving", "Published", "Ended")
