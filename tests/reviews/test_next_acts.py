"""Each state of a candidate has its next act and whose it is; a person finds their own first, and only their own."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.html import escape

from mhds.models import User
from mhds.roles import Role
from releases import board, next_acts
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Release
from reviews import drawing
from reviews.models import Assignment, Escalation
from reviews.plans import RoundKind
from reviews.states import AssignmentState, Meaning
from tests.factories import VERSION, person
from tests.reviews.factory import KINDS, World, open_all, pass_all, pass_round, score_all, sign, start

pytestmark = pytest.mark.review
WORKERS = "workers, by themselves"


def steps(world: World, who: User | str) -> list[tuple[str, str, bool]]:
    user = world[who] if isinstance(who, str) else who
    candidate = world.refresh()
    found = next_acts.steps_of(candidate, board.collected(candidate), user)
    return [(one.words, one.owner, one.mine) for one in found]


def words(world: World, who: str = "lead") -> list[str]:
    return [one[0] for one in steps(world, who)]


LEAD = "release lead who had no hand in it"


def test_in_review_the_lead_opens_draws_hands_out_and_closes(world: World) -> None:
    assert steps(world, "lead") == [("Open the four rounds", LEAD, True)]
    open_all(world)
    names = [kind.value.replace("_", " ") for kind in sorted(KINDS)]
    assert words(world) == [f"Draw {', '.join(names)}"]
    drawing.draw(world.round(RoundKind.PRIVACY), actor=world.lead)
    assert words(world)[1] == "Hand out privacy"


def test_reviewers_see_what_they_have_left_and_nobody_elses(world: World) -> None:
    start(world, RoundKind.CLINICIAN_FOUNDATION)
    left = Assignment.objects.filter(state=AssignmentState.ASSIGNED)
    has = {one.reviewer.name for one in left}
    scoring = [one for one in steps(world, has.copy().pop()) if one[0].startswith("Score")]
    assert scoring == [(f"Score clinician foundation: 0 of {left.count()} scored", "clinician", True)]
    assert [one[2] for one in steps(world, "bias1") if one[0].startswith("Score")] == [False]
    done = left.first()
    score_all(world.round(RoundKind.CLINICIAN_FOUNDATION), except_=left.exclude(reviewer=done.reviewer))
    mine = [one for one in steps(world, done.reviewer) if one[0].startswith("Score")]
    assert [one[2] for one in mine] == [False]
    score_all(world.round(RoundKind.CLINICIAN_FOUNDATION))
    assert any(one.startswith("Close clinician foundation: ") for one in words(world))


def test_an_open_escalation_is_for_compliance_or_the_lead_to_close(world: World) -> None:
    start(world, RoundKind.PRIVACY)
    one = Assignment.objects.filter(item__round__kind=RoundKind.PRIVACY).first()
    Escalation.objects.create(
        item=one.item, kind="other", reason="a name", opened_by=one.reviewer, opened_at=one.assigned_at
    )
    assert ("Close 1 escalation", "compliance or release lead", True) in steps(world, "compliance3")


def test_in_signoff_each_missing_signature_is_with_its_role(signoff: World) -> None:
    assert signoff.candidate.state == State.IN_SIGNOFF
    assert words(signoff) == ["Sign as lead", "Sign as clinician", "Sign as bias reviewer"]
    sign(signoff, "clinician1", Meaning.CLINICIAN)
    assert words(signoff, "clinician2") == ["Sign as bias reviewer", "Sign as lead"]
    sign(signoff, "bias1", Meaning.BIAS_REVIEWER)
    sign(signoff, "lead", Meaning.LEAD)
    assert steps(signoff, "lead") == [("Publish", LEAD, True)]
    other = person("lead who built", Role.LEAD)
    signoff.candidate.contributions.create(user=other, how="catalog")
    assert [one[2] for one in steps(signoff, other)] == [False]


def test_a_round_that_was_closed_without_a_pass_is_the_leads_to_open_again(world: World) -> None:
    start(world)
    for kind in KINDS:
        pass_round(world, kind)
    Candidate.objects.filter(pk=world.candidate.pk).update(state=State.IN_REVIEW)
    assert words(world) == ["Open sign-off"]
    missing = {world.candidate.pk: {"rounds": ["the round privacy is inconclusive"]}}
    found = next_acts.steps([world.refresh()], missing, world.lead)[world.candidate.pk]
    assert [one.words for one in found] == ["Open a round again"]


FAILING = {
    "the gate integrity says FAIL: decide": ("Decide what is left out in integrity", Role.ENGINEER),
    "the gate provenance says FAIL: approve": ("Decide about the sources in provenance", Role.COMPLIANCE),
    "the gate coverage says FAIL: ask": ("Ask for a waiver of coverage", Role.LEAD),
    "the gate distribution says FAIL: explain": ("Explain distribution", Role.LEAD),
    "the gate privacy says FAIL": ("Look at the findings of privacy", Role.COMPLIANCE),
    "the gate leakage says FAIL": ("Mend leakage and build again", Role.ENGINEER),
    "the gate routing says ERROR: look": ("Find out why routing ended in an error", Role.ENGINEER),
    "the result of the gate routing is outdated: the policy changed since": ("Run the gates again", Role.ENGINEER),
    "the gate routing has not been run": ("Run the gates again", Role.ENGINEER),
}


@pytest.mark.parametrize("blocker", FAILING)
def test_what_a_gate_says_is_with_who_can_answer_it(world: World, blocker: str) -> None:
    Candidate.objects.filter(pk=world.candidate.pk).update(state=State.BLOCKED)
    candidate, (told, role) = world.refresh(), FAILING[blocker]
    (found,) = next_acts.steps_of(candidate, (Evidence("gates", (blocker,)),), person("one", role))
    assert (found.words, found.mine, role.words in found.owner) == (told, True, True)
    assert not next_acts.steps_of(candidate, (Evidence("gates", (blocker,)),), person("c", Role.CLINICIAN))[0].mine


def test_once_nothing_blocks_the_gates_are_run_again(world: World) -> None:
    Candidate.objects.filter(pk=world.candidate.pk).update(state=State.BLOCKED)
    assert steps(world, "lead") == [("Run the gates again", "dataset engineer or release lead", True)]


def test_every_state_has_an_owner_or_is_an_end(world: World) -> None:
    seen = {}
    for state in State:
        Candidate.objects.filter(pk=world.candidate.pk).update(state=state)
        seen[state] = [one[1] for one in steps(world, "lead")]
    nothing = {state for state, owners in seen.items() if not owners}
    assert nothing == {State.PUBLISHED, State.WITHDRAWN, State.ABANDONED}
    by_themselves = {state for state, owners in seen.items() if owners == [WORKERS]}
    assert by_themselves == {State.DRAFT, State.BUILDING, State.GATING, State.PUBLISHING}


def test_the_board_groups_what_waits_for_the_reader_first(world: World) -> None:
    client = Client()
    client.force_login(world.lead)
    shown = client.get("/").content.decode()
    assert "Waiting for you (1)" in shown
    assert f"you, {LEAD}" in shown
    client.force_login(world["clinician1"])
    shown = client.get("/").content.decode()
    assert "Waiting for you" not in shown
    assert escape("Nothing waits for you; 1 release waits for somebody else.") in shown


def test_a_board_of_many_releases_asks_no_more_than_a_board_of_one(world: World, django_assert_max_num_queries) -> None:
    one = world.candidate
    for number in range(2, 12):
        release = Release.objects.create(version=f"{VERSION}.{number}")
        Candidate.objects.create(release=release, number=1, state=State.IN_REVIEW, catalog_version=one.catalog_version)
    client = Client()
    client.force_login(world.lead)
    with django_assert_max_num_queries(10):
        assert client.get("/").status_code == 200


def test_a_release_in_review_keeps_to_fifteen_queries(world: World, django_assert_max_num_queries) -> None:
    start(world)
    client = Client()
    client.force_login(world.lead)
    with django_assert_max_num_queries(15):
        shown = client.get(f"/releases/{VERSION}/").content.decode()
    assert "Score clinician foundation" in shown


def test_history_tells_moves_and_hands_with_names(world: World) -> None:
    pass_all(world)
    client = Client()
    client.force_login(world.lead)
    context = client.get(f"/releases/{VERSION}/").context
    assert [one.seq for one in world.candidate.events.order_by("-seq")] == list(range(len(context["events"]), 0, -1))
    assert [one.action for one in context["events"]] == [one.action for one in world.candidate.events.order_by("-seq")]
    assert {(one.how, one.name) for one in context["contributors"]} == {
        (one.how, str(one.user)) for one in world.candidate.contributions.select_related("user")
    }


def row(world: World, who: str, shown_as: str) -> str:
    client = Client(headers={"HX-Request": "true"})
    client.force_login(world[who])
    return str(client.get(f"/releases/{VERSION}/", {"line": shown_as}).content.decode())


def test_a_row_that_turns_out_to_wait_for_the_reader_says_so_above_the_table(
    signoff: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board shows what the last move recorded; its rows then ask how it stands now."""
    for meaning in (Meaning.CLINICIAN, Meaning.BIAS_REVIEWER, Meaning.LEAD):
        sign(signoff, {"lead": "lead", "clinician": "clinician1", "bias_reviewer": "bias1"}[meaning.value], meaning)
    monkeypatch.setattr("gates.standing.code_version", lambda: "sha256:" + "9" * 64)
    told = 'hx-swap-oob="beforeend:#waits"'
    assert told in row(signoff, "lead", "other")
    assert told not in row(signoff, "lead", "mine")
    assert told not in row(signoff, "clinician2", "other")
