"""The sentence that opens the page of rounds, and the one next act. Decides nothing: services refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from releases.lifecycle import State
from releases.models import Candidate
from releases.next_acts import link
from reviews.models import Escalation, Round
from reviews.overview import Line
from reviews.standing import blockers
from reviews.states import RoundState


@dataclass(frozen=True, slots=True)
class Answer:
    """``act`` is posted for ``round``, or ``href`` followed; both empty where nothing is to do here and now."""

    sentence: str
    style: str = ""
    icon: str = "info"
    label: str = ""
    act: str = ""
    round: Round | None = None
    href: str = ""


def answer(candidate: Candidate, lines: Sequence[Line], escalations: Sequence[Escalation], *, leads: bool) -> Answer:
    """By urgency: what failed, what holds everything up, then the way from plan to verdict."""
    return (
        _failed(candidate, lines)
        or _held(escalations)
        or _to_draw(lines, leads)
        or _to_assign(lines, leads)
        or _to_close(lines, leads)
        or _inconclusive(lines)
        or _scoring(lines)
        or _done(candidate, leads)
    )


def _failed(candidate: Candidate, lines: Sequence[Line]) -> Answer | None:
    failed = [line for line in lines if line.verdict == "fail"]
    if not failed:
        return None
    names = " and ".join(line.round.kind for line in failed)
    rejected = "the candidate is rejected" if candidate.state == State.REJECTED else "the candidate cannot go on"
    sentence = f"{names} failed, so {rejected}. Mend what was found and build a new candidate."
    return Answer(sentence, "fail", "fail", f"See why {failed[0].round.kind} failed", href=f"#{failed[0].round.kind}")


def _held(escalations: Sequence[Escalation]) -> Answer | None:
    waiting = [one for one in escalations if one.closed_at is None]
    if not waiting:
        return None
    one = len(waiting) == 1
    words = "1 escalation is open" if one else f"{len(waiting):,} escalations are open"
    sentence = f"{words}: no round that it holds up can close before a named person settles {'it' if one else 'them'}."
    return Answer(
        sentence, "fail", "error", "See the escalation" if one else "See the escalations", href="#escalations"
    )


def _in(lines: Sequence[Line], state: RoundState) -> list[Line]:
    return [line for line in lines if line.round.state == state]


def _to_draw(lines: Sequence[Line], leads: bool) -> Answer | None:
    planned = _in(lines, RoundState.PLANNED)
    if not planned:
        return None
    first = planned[0].round
    count = min(first.plan.size, first.population)
    sentence = f"{len(planned)} of {len(lines)} rounds are not drawn yet. The next is {first.kind}: " + (
        f"all {count:,} records." if count == first.population else f"{count:,} of {first.population:,} records."
    )
    return _act(Answer(sentence, "wait", "waiting", f"Draw {count:,} for {first.kind}", "draw", first), leads)


def _to_assign(lines: Sequence[Line], leads: bool) -> Answer | None:
    drawn = _in(lines, RoundState.DRAWN)
    if not drawn:
        return None
    first = drawn[0]
    sentence = f"{first.round.kind} is drawn, {first.drawn:,} records; they wait to be handed out."
    return _act(Answer(sentence, "wait", "waiting", f"Assign {first.round.kind}", "assign", first.round), leads)


def _to_close(lines: Sequence[Line], leads: bool) -> Answer | None:
    ready = [line for line in lines if line.can_close]
    if not ready:
        return None
    first = ready[0]
    sentence = f"{first.round.kind} is scored, {first.complete:,} of {first.handed:,}: close it for its verdict."
    return _act(Answer(sentence, "wait", "waiting", f"Close {first.round.kind}", "close", first.round), leads)


def _inconclusive(lines: Sequence[Line]) -> Answer | None:
    stuck = [line for line in lines if line.verdict == "inconclusive"]
    if not stuck:
        return None
    names = " and ".join(line.round.kind for line in stuck)
    be, pronoun = ("is", "it") if len(stuck) == 1 else ("are", "they")
    sentence = f"{names} {be} inconclusive, which is not a pass: see what {pronoun} still need{'s' * (be == 'is')}."
    href = f"#{stuck[0].round.kind}"
    return Answer(sentence, "wait", "waived", f"See what {stuck[0].round.kind} needs", href=href)


def _scoring(lines: Sequence[Line]) -> Answer | None:
    open_ = _in(lines, RoundState.SCORING)
    if not open_:
        return None
    done, all_ = sum(line.complete for line in open_), sum(line.handed for line in open_)
    rounds = "1 round" if len(open_) == 1 else f"{len(open_)} rounds"
    sentence = f"{done:,} of {all_:,} assignments are scored in {rounds}; reviewers have the rest."
    short = sum(line.short for line in open_)
    if short:
        sentence += f" {short:,} drawn record{'' if short == 1 else 's'} lack a reader: see below."
    return Answer(sentence, "wait", "running")


def _done(candidate: Candidate, leads: bool) -> Answer:
    if candidate.state == State.IN_REVIEW:
        missing = blockers(candidate)
        if missing:
            more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            sentence = f"All four rounds passed, and sign-off cannot be opened: {missing[0]}{more}."
            return Answer(sentence, "wait", "waived", "See what is in the way", href=link("release", candidate))
        sentence = "All four rounds passed. Sign-off can be opened."
        return _act(Answer(sentence, "pass", "pass", "Open sign-off", "sign-off"), leads)
    state = candidate.state.replace("_", " ")
    return Answer(f"All four rounds passed; the candidate is {state}.", "pass", "pass")


def _act(found: Answer, leads: bool) -> Answer:
    """The act for a lead; for anybody else, whose it is."""
    if leads:
        return found
    return Answer(f"{found.sentence} It waits for a release lead.", found.style, found.icon)
