"""What the pages of a release say, computed from rows: the sentence of what is in the way, the stations, the groups."""

from __future__ import annotations

from dataclasses import dataclass

from releases import coverage, evidence
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Release

MOVING = {State.DRAFT, State.BUILDING, State.GATING, State.PUBLISHING}
ENDED = {State.WITHDRAWN, State.REJECTED, State.ABANDONED}
STATIONS = ("Sources", "Coverage", "Build", "Gates", "Review", "Sign-off", "Publish")
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


def in_the_way(candidate: Candidate) -> Answer:
    """What is in the way, in one sentence, from evidence of this moment."""
    state = State(candidate.state)
    if candidate.error:
        step, message = candidate.error.get("step", "a step"), candidate.error.get("message", "")
        return Answer("fail", "error", f"The {step} step could not be done: {message}")
    if state in ASKED:
        return _from_evidence(state, evidence.collect(candidate))
    return PLAIN[state]


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
    first = reasons[0][0].upper() + reasons[0][1:]
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    style = "fail" if state is State.BLOCKED else "wait"
    return Answer(style, "fail" if style == "fail" else "waived", f"{first.rstrip('.')}{more}.", reasons)


def stations(candidate: Candidate) -> list[Station]:
    """The way of the release with where it stands; a mark per station."""
    state = State(candidate.state)
    reached = REACHED[state]
    stuck = state in {State.BLOCKED, State.REJECTED, State.WITHDRAWN} or bool(candidate.error)
    notes = _notes(candidate)
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
    """One row of the board."""

    release: Release
    candidate: Candidate | None
    answer: Answer | None


def line(release: Release) -> Line:
    candidate = Candidate.objects.shown_for(release)
    return Line(release, candidate, in_the_way(candidate) if candidate else None)


def group_of(one: Line) -> str:
    if one.candidate is None:
        return "Moving"
    state = State(one.candidate.state)
    if state in MOVING:
        return "Moving"
    if state is State.PUBLISHED:
        return "Published"
    return "Ended" if state in ENDED else "Waiting for somebody"


GROUPS = ("Waiting for somebody", "Moving", "Published", "Ended")
