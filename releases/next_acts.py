"""What happens next to a candidate and whose it is: its own part, and what the apps above say. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from mhds.models import User
from mhds.roles import Role
from releases import evidence
from releases.evidence import Act, Missing
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Contribution

WORKERS = "workers, by themselves"
BY_ITSELF = {
    State.DRAFT: "Read and build",
    State.BUILDING: "Finish the build, then the scan",
    State.GATING: "Scan, and evaluate the gates",
    State.PUBLISHING: "Write the release, the manifest last",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One next act as this reader sees it: ``mine`` where it is theirs to do, ``owner`` whose it is otherwise."""

    words: str
    owner: str
    url: str
    mine: bool


def link(name: str, candidate: Candidate, **also: str) -> str:
    """The address of a page of the release, with the candidate; empty where the page does not exist."""
    try:
        address = reverse(name, kwargs={"version": candidate.release.version, **also})
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'candidate': candidate.number})}"


def steps_of(
    candidate: Candidate, collected: Sequence[Evidence], user: User, *, contributed: bool | None = None
) -> tuple[Step, ...]:
    missing = {candidate.pk: {one.name: one.missing for one in collected}}
    hands = None if contributed is None else ({candidate.pk} if contributed else set())
    return steps([candidate], missing, user, hands=hands)[candidate.pk]


def steps(
    candidates: Sequence[Candidate], missing: Missing, user: User, *, hands: set[UUID] | None = None
) -> dict[UUID, tuple[Step, ...]]:
    """By candidate, the reader's own first. ``hands``: candidates that the reader contributed to, where known."""
    if hands is None:
        mine = Contribution.objects.filter(user=user, candidate__in=[one.pk for one in candidates])
        hands = set(mine.values_list("candidate", flat=True))
    given = [planner(candidates, missing) for _name, planner in sorted(evidence.PLANNERS.items())]
    found = {}
    for one in candidates:
        acts = [*_own(one, missing.get(one.pk, {})), *(act for planned in given for act in planned.get(one.pk, ()))]
        made = [_step(act, user, contributed=one.pk in hands) for act in acts]
        found[one.pk] = tuple(sorted(made or list(_workers(one)), key=lambda step: not step.mine))
    return found


def _step(act: Act, user: User, *, contributed: bool) -> Step:
    mine = user.holds(act.role, *act.also) and not (act.apart and contributed)
    if act.people is not None:
        mine = mine and user.pk in act.people
    owner = " or ".join(role.words for role in (act.role, *act.also))
    if act.apart and act.role is Role.LEAD:
        owner += " who had no hand in it"
    return Step(act.words, owner, act.url, mine)


def _workers(candidate: Candidate) -> list[Step]:
    words = BY_ITSELF.get(State(candidate.state))
    return [Step(words, WORKERS, "", mine=False)] if words and not candidate.error else []


def _own(candidate: Candidate, missing: Mapping[str, Sequence[str]]) -> list[Act]:
    """What needs neither gate nor review to be known."""
    state, publishing = State(candidate.state), link("publish", candidate)
    if state is State.PUBLISHING:
        return [Act(Role.LEAD, "Try again, or give it up", publishing)] if candidate.error else []
    if candidate.error and state in {State.DRAFT, State.BUILDING, State.GATING}:
        return [Act(Role.ENGINEER, "Build a new candidate", link("release", candidate), apart=False)]
    if state is State.REJECTED:
        return [Act(Role.ENGINEER, "Build a new candidate", link("release", candidate), apart=False)]
    if state is State.APPROVED:
        return _to_publish(publishing, missing)
    return []


def _to_publish(url: str, missing: Mapping[str, Sequence[str]]) -> list[Act]:
    """Where an app above misses something, that app says what is next. The board's last move asked no bucket yet."""
    if any(missing.get(name) for name in ("gates", "rounds", "signatures")):
        return []
    unconfirmed = [words for words in missing.get("storage", ()) if words.startswith("the approval of the source")]
    if unconfirmed:
        many = "" if len(unconfirmed) == 1 else "s"
        return [Act(Role.COMPLIANCE, f"Confirm {len(unconfirmed)} source{many}", reverse("catalog"), apart=False)]
    return [Act(Role.LEAD, "Publish", url)]
