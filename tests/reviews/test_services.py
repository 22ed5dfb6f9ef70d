"""The four rounds from opening to verdict: who may, in which order, and what is never a pass."""

from __future__ import annotations

import pytest

from mhds.errors import Conflict, InvalidInput, NotAllowed, NotFound, Stale
from mhds.models import AuditEvent
from mhds.roles import Role
from releases.lifecycle import Action, State
from releases.models import Contribution
from releases.services import transition
from reviews import assigning, closing, drawing, escalating, rounds, scoring
from reviews.models import Assignment, Draft, Item, Round, Score
from reviews.plans import RoundKind
from reviews.states import AssignmentState, RoundState
from tests.reviews import factory
from tests.reviews.factory import KINDS, World

pytestmark = pytest.mark.review
FOUNDATION, EDGE, BIAS, PRIVACY = KINDS


def test_a_candidate_passes_four_rounds_and_goes_on_to_sign_off(signoff: World) -> None:
    assert signoff.candidate.state == State.IN_SIGNOFF
    found = {one.kind: (one.population, one.evaluation.verdict) for one in signoff.rounds()}
    assert found == {FOUNDATION: (8, "pass"), EDGE: (5, "pass"), BIAS: (8, "pass"), PRIVACY: (17, "pass")}
    assert "All 8 conversations" in signoff.round(FOUNDATION).evaluation.statement


def test_rounds_open_only_in_review_and_once(world: World) -> None:
    factory.open_all(world)
    with pytest.raises(Conflict, match="open already"):
        factory.open_all(world)
    transition(world.candidate, Action.ABANDON, actor=None, reason="test")
    with pytest.raises(Conflict, match="abandoned"):
        factory.open_all(world)


@pytest.mark.parametrize("who", ["engineer", "clinician1", "bias1", "compliance1", "admin"])
def test_only_the_lead_opens_rounds(world: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        rounds.open_rounds(world.candidate, actor=world[who])
    assert not Round.objects.exists()
    assert AuditEvent.objects.filter(action="review.refused", actor=world[who]).count() == 1


def test_a_lead_who_contributed_opens_nothing(world: World) -> None:
    Contribution.objects.create(candidate=world.candidate, user=world.lead, how="catalog")
    with pytest.raises(NotAllowed, match="contributed"):
        factory.open_all(world)


def test_a_plan_that_cannot_show_its_limit_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="3,000"):
        factory.open_all(world, plans={FOUNDATION: "high_two_stage"})
    with pytest.raises(InvalidInput, match="no plan"):
        factory.open_all(world, plans={FOUNDATION: "lenient"})


def test_a_plan_can_only_be_tightened_and_only_before_the_draw(world: World) -> None:
    factory.open_all(world)
    assert rounds.tighten(world.round(FOUNDATION), "standard", actor=world.lead).plan.id == "standard"
    with pytest.raises(Conflict, match="tightened"):
        rounds.tighten(world.round(FOUNDATION), "pilot", actor=world.lead)
    drawing.draw(world.round(FOUNDATION), actor=world.lead)
    with pytest.raises(Conflict, match="drawn already"):
        rounds.tighten(world.round(FOUNDATION), "high", actor=world.lead)


def test_a_round_that_no_family_asks_for_passes_and_says_so(world: World) -> None:
    version = world.candidate.catalog_version
    version.toml = version.toml.replace(
        'reviews = ["clinician_foundation", "bias_foundation"]', 'reviews = ["clinician_foundation"]'
    )
    version.save()
    world.refresh()
    factory.open_all(world)
    asked = world.round(BIAS)
    assert (asked.state, asked.evaluation.verdict, asked.families) == (RoundState.EVALUATED, "pass", [])
    assert "No family of the catalog asks" in asked.evaluation.statement


def test_a_family_without_records_makes_its_round_inconclusive(world: World) -> None:
    version = world.candidate.catalog_version
    version.toml = version.toml.replace('id = "edge_cases"\nstage', 'id = "empty_edge"\nstage').replace(
        'family = "edge_cases"', 'family = "empty_edge"'
    )
    version.save()
    world.refresh()
    factory.open_all(world)
    found = world.round(EDGE)
    assert (found.families, found.population) == (["empty_edge"], 0)
    assert found.evaluation.verdict == "inconclusive"
    assert "nothing could be claimed" in found.evaluation.reasons[0]


def test_the_draw_follows_the_freeze_and_a_second_one_needs_a_reason(world: World) -> None:
    factory.open_all(world)
    first = drawing.draw(world.round(EDGE), actor=world.lead)
    assert first.draw.at > world.candidate.frozen_at
    with pytest.raises(InvalidInput, match="drawn from 1 times"):
        drawing.draw(world.round(EDGE), actor=world.lead)
    again = drawing.draw(world.round(EDGE), actor=world.lead, reason="the first was made with the wrong people about")
    assert [one.attempt for one in again.draws.order_by("attempt")] == [1, 2]
    assert again.draws.get(attempt=1).nonce != again.draws.get(attempt=2).nonce
    assert len(drawing.current_items(again)) == 5


def test_nobody_draws_again_after_looking(world: World) -> None:
    factory.start(world, EDGE)
    factory.submit(factory.waiting(world.round(EDGE))[0])
    with pytest.raises(Conflict, match="after looking"):
        drawing.draw(world.round(EDGE), actor=world.lead, reason="I do not like it")


def test_every_item_goes_to_two_different_people_who_read_it(world: World) -> None:
    factory.start(world, FOUNDATION)
    for item in Item.objects.filter(round=world.round(FOUNDATION)):
        readers = [one.reviewer for one in item.assignments.all()]
        assert len(set(readers)) == 2
        assert all(one.holds(Role.CLINICIAN) and item.language in one.languages for one in readers)


def test_a_record_that_nobody_reads_makes_the_round_inconclusive_and_names_the_language(world: World) -> None:
    for number in (1, 2, 3):
        world[f"clinician{number}"].languages = ["zh"]
        world[f"clinician{number}"].save()
    factory.open_all(world)
    drawing.draw(world.round(EDGE), actor=world.lead)
    outcome = assigning.assign(world.round(EDGE), actor=world.lead)
    assert outcome.assigned == 0
    assert "reads en" in outcome.shortages[0]
    evaluation = closing.close_round(world.round(EDGE), actor=world.lead)
    assert evaluation.verdict == "inconclusive"
    assert any("reads en" in reason for reason in evaluation.reasons)
    assert world.refresh().state == State.IN_REVIEW


def test_gaps_are_filled_once_somebody_is_found_who_reads_the_language(world: World) -> None:
    for number in (2, 3):
        world[f"clinician{number}"].languages = ["zh"]
        world[f"clinician{number}"].save()
    factory.start(world, EDGE)
    assert Assignment.objects.filter(item__round=world.round(EDGE)).count() == 5
    world["clinician2"].languages = ["en"]
    world["clinician2"].save()
    assert assigning.assign(world.round(EDGE), actor=world.lead).assigned == 5
    assert assigning.assign(world.round(EDGE), actor=world.lead).assigned == 0
    assert factory.pass_round(world, EDGE).verdict == "pass"


def test_a_contributor_is_never_assigned_and_loses_open_work_by_contributing_later(world: World) -> None:
    Contribution.objects.create(candidate=world.candidate, user=world["clinician1"], how="catalog")
    factory.start(world, EDGE)
    assert not Assignment.objects.filter(reviewer=world["clinician1"]).exists()
    Contribution.objects.create(candidate=world.candidate, user=world["clinician2"], how="exclusion")
    with pytest.raises(NotAllowed, match="contributed"):
        factory.submit(factory.waiting(world.round(EDGE), world["clinician2"])[0])
    assigning.assign(world.round(EDGE), actor=world.lead)
    assert not factory.waiting(world.round(EDGE), world["clinician2"])


def test_a_person_who_left_scores_no_more_and_their_open_work_goes_to_others(world: World) -> None:
    factory.start(world, EDGE)
    theirs = factory.waiting(world.round(EDGE), world["clinician1"])
    assert theirs
    world["clinician1"].is_active = False
    world["clinician1"].save()
    with pytest.raises(NotAllowed):
        factory.submit(Assignment.objects.select_related("item__round", "reviewer").get(pk=theirs[0].pk))
    assigning.assign(world.round(EDGE), actor=world.lead)
    assert {one.reviewer.email for one in factory.waiting(world.round(EDGE))} == {
        "clinician2@example.org", "clinician3@example.org",
    }  # fmt: skip
    assert factory.pass_round(world, EDGE).verdict == "pass"


def test_an_absent_reviewer_is_replaced_for_a_reason(world: World) -> None:
    factory.start(world, EDGE)
    with pytest.raises(InvalidInput):
        assigning.replace_reviewer(world.round(EDGE), world["clinician1"], actor=world.lead, reason=" ")
    outcome = assigning.replace_reviewer(world.round(EDGE), world["clinician1"], actor=world.lead, reason="on leave")
    assert outcome.assigned > 0
    assert not factory.waiting(world.round(EDGE), world["clinician1"])


def test_a_stale_draft_is_refused_and_the_newer_one_is_kept(world: World) -> None:
    factory.start(world, EDGE)
    mine = factory.waiting(world.round(EDGE))[0]
    first = scoring.save_draft(mine.reviewer, mine, {"scores": {"A3": 1}}, expected_version=0)
    assert first.version == 1
    scoring.save_draft(mine.reviewer, mine, {"scores": {"A3": 2}}, expected_version=1)
    for version in (0, 1, 7):
        with pytest.raises(Stale):
            scoring.save_draft(mine.reviewer, mine, {"scores": {"A3": 0}}, expected_version=version)
        with pytest.raises(Stale):
            scoring.submit(mine.reviewer, mine, factory.good(world.round(EDGE).rubric), expected_version=version)
    assert Draft.objects.get(assignment=mine).payload == {"scores": {"A3": 2}}
    assert not Score.objects.exists()


def test_an_incomplete_score_is_refused_and_says_where(world: World) -> None:
    factory.start(world, EDGE)
    mine = factory.waiting(world.round(EDGE))[0]
    payload = factory.good(world.round(EDGE).rubric, criticals=[{"id": "C1", "turn": 99}], note="x")
    with pytest.raises(scoring.InvalidScore) as caught:
        factory.submit(mine, payload)
    assert [one.field for one in caught.value.errors] == ["criticals.0"]


def test_undo_keeps_every_version_and_the_newest_counts(world: World) -> None:
    factory.start(world, EDGE)
    rubric = world.round(EDGE).rubric
    mine = factory.waiting(world.round(EDGE))[0]
    factory.submit(mine, factory.bad(rubric))
    draft = scoring.undo(mine.reviewer, mine)
    assert draft.payload == factory.bad(rubric)
    assert not Score.objects.counting().exists()
    scoring.submit(mine.reviewer, mine, factory.good(rubric), expected_version=draft.version)
    assert [one.version for one in Score.objects.counting()] == [2]
    assert Score.objects.count() == 2
    assert factory.pass_round(world, EDGE).verdict == "pass"


def test_skipping_asks_no_reason_names_nobody_and_gives_the_record_to_another(world: World) -> None:
    factory.start(world, EDGE)
    mine = factory.waiting(world.round(EDGE))[0]
    scoring.skip(mine.reviewer, mine)
    holders = set(Assignment.objects.live().filter(item=mine.item).values_list("reviewer__email", flat=True))
    assert len(holders) == 2
    assert mine.reviewer.email not in holders
    event = AuditEvent.objects.get(action="item.skipped")
    assert event.actor is None
    assert str(mine.reviewer.pk) not in factory.as_json(event.data)
    assert factory.pass_round(world, EDGE).verdict == "pass"


def test_who_cannot_judge_passes_the_record_on(world: World) -> None:
    factory.start(world, BIAS)
    mine = factory.waiting(world.round(BIAS))[0]
    factory.submit(mine, {"cannot_judge": True})
    assert mine.state == AssignmentState.PASSED_ON
    assert Assignment.objects.live().filter(item=mine.item).count() == 2
    assert factory.pass_round(world, BIAS).verdict == "pass"


def test_a_round_does_not_close_while_somebody_has_something_left(world: World) -> None:
    factory.start(world, EDGE)
    factory.score_all(world.round(EDGE), except_=factory.waiting(world.round(EDGE))[:1])
    with pytest.raises(Conflict, match="1 assignments"):
        closing.close_round(world.round(EDGE), actor=world.lead)


@pytest.mark.parametrize("what", ["critical", "split", "unsure"])
def test_anything_critical_split_or_unsure_is_inconclusive_until_adjudicated(world: World, what: str) -> None:
    factory.start(world, EDGE)
    rubric = world.round(EDGE).rubric
    one = factory.waiting(world.round(EDGE))[0]
    payload = {
        "critical": factory.good(rubric, criticals=[{"id": "C1", "turn": 2}], note="Seen."),
        "split": factory.bad(rubric),
        "unsure": factory.good(rubric, scores={**factory.good(rubric)["scores"], "A3": "unsure"}),
    }[what]
    factory.submit(one, payload)
    assert factory.pass_round(world, EDGE).verdict == "inconclusive"
    assert world.refresh().state == State.IN_REVIEW


def test_failures_that_two_people_agree_on_fail_the_round_and_reject_the_candidate(world: World) -> None:
    factory.start(world, PRIVACY)
    round_ = world.round(PRIVACY)
    first = factory.waiting(round_)[0].item
    for one in factory.waiting(round_):
        if one.item_id == first.pk:
            factory.submit(one, factory.bad(round_.rubric))
    assert factory.pass_round(world, PRIVACY).verdict == "fail"
    assert world.refresh().state == State.REJECTED


def test_an_escalation_hides_the_item_and_holds_the_round_until_another_person_closes_it(world: World) -> None:
    factory.start(world, EDGE)
    mine = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    raised = escalating.escalate(world["clinician1"], mine, "minor", "the client says an age under eighteen")
    assert mine.pk not in {one.pk for one in scoring.upcoming(world["clinician1"], world.round(EDGE), 99)}
    with pytest.raises(Conflict, match="escalation"):
        factory.submit(mine)
    with pytest.raises(Conflict):
        closing.close_round(world.round(EDGE), actor=world.lead)
    with pytest.raises(NotAllowed):
        escalating.close_escalation(world["clinician2"], raised, "fine", confirmed=False)
    escalating.close_escalation(world.lead, raised, "an adult, as turn 3 says", confirmed=False)
    assert factory.pass_round(world, EDGE).verdict == "pass"


def test_a_confirmed_escalation_rejects_the_candidate(world: World) -> None:
    factory.start(world, EDGE)
    mine = factory.waiting(world.round(EDGE))[0]
    raised = escalating.escalate(mine.reviewer, mine, "identifier", "a full name and a street")
    escalating.close_escalation(world["compliance1"], raised, "it is real", confirmed=True)
    assert world.refresh().state == State.REJECTED


def test_somebody_elses_item_does_not_exist_for_me(world: World) -> None:
    factory.start(world, EDGE)
    theirs = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    mallory = world["clinician2"]
    for act in (
        lambda: scoring.save_draft(mallory, theirs, {}, expected_version=0),
        lambda: scoring.submit(mallory, theirs, {}, expected_version=0),
        lambda: scoring.undo(mallory, theirs),
        lambda: scoring.skip(mallory, theirs),
        lambda: scoring.flag(mallory, theirs, on=True),
        lambda: escalating.escalate(mallory, theirs, "other", "why not"),
    ):
        with pytest.raises(NotFound):
            act()


def test_reopening_takes_the_candidate_back_to_review_and_keeps_the_old_verdict(signoff: World) -> None:
    round_ = signoff.round(EDGE)
    with pytest.raises(InvalidInput):
        closing.reopen_round(round_, actor=signoff.lead, reason="")
    closing.reopen_round(round_, actor=signoff.lead, reason="a doubt about one record")
    assert signoff.refresh().state == State.IN_REVIEW
    assert signoff.round(EDGE).evaluation is None
    mine = Assignment.objects.filter(item__round=round_).select_related("item__round", "reviewer").first()
    with pytest.raises(Conflict, match="closed once"):
        scoring.undo(mine.reviewer, mine)
    again = closing.close_round(signoff.round(EDGE), actor=signoff.lead)
    assert (again.number, again.verdict) == (2, "pass")
    assert signoff.refresh().state == State.IN_SIGNOFF


def test_targeted_looks_are_drawn_apart_and_cannot_pass_what_is_bad(world: World) -> None:
    factory.open_all(world, strata={PRIVACY: {"language:en": 3}, EDGE: {"crisis": None}})
    for kind in (EDGE, PRIVACY):
        drawing.draw(world.round(kind), actor=world.lead)
    looks = world.round(EDGE).draws.get(label="crisis")
    assert (looks.population, len(looks.drawn)) == (2, 2)
    assert {one.label for one in world.round(PRIVACY).draws.all()} == {"", "language:en"}
    assert [one.difference for kind in (EDGE, PRIVACY) for one in drawing.verify(world.round(kind))] == [""] * 4


def test_rounds_with_an_unknown_choice_are_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="rubric"):
        factory.open_all(world, rubrics={RoundKind.PRIVACY: "clinician_qa"})
    with pytest.raises(InvalidInput, match="overlap"):
        factory.open_all(world, overlap_bp=100)
    with pytest.raises(InvalidInput, match="targeted"):
        factory.open_all(world, strata={EDGE: {"whatever": 3}})
