"""The page of rounds from plan to verdict: what each state says and offers, to whom, and that no score shows early."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gates import engine
from releases.lifecycle import State
from reviews import assigning, closing, curves, drawing, escalating, pace, plans, rounds, scoring
from reviews.models import Draw, Escalation, Round, Score
from reviews.plans import DEFAULT_PLAN, HIGH, PILOT, PLANS, STANDARD, RoundKind
from reviews.states import RoundState
from tests.factories import PREFIXES, write_source
from tests.reviews import factory
from tests.reviews.factory import KINDS, World

pytestmark = pytest.mark.pages
FOUNDATION, EDGE, BIAS, PRIVACY = KINDS
BUDGET = 15


def client_of(world: World, who: str) -> Client:
    client = Client()
    client.force_login(world[who])
    return client


def words_of(answer: HttpResponse) -> str:
    """What a person reads, without tags and line breaks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def page(world: World, who: str = "lead") -> HttpResponse:
    answer: HttpResponse = client_of(world, who).get(reverse("reviews", args=[world.candidate.release.version]))
    return answer


def act(world: World, kind: RoundKind, name: str, who: str = "lead", **given: Any) -> HttpResponse:
    url = reverse("round-act", args=[world.candidate.release.version, world.round(kind).pk])
    answer: HttpResponse = client_of(world, who).post(url, {"act": name, **given})
    return answer


def primary(answer: HttpResponse) -> list[str]:
    found = re.findall(r'class="btn btn--primary"[^>]*>([^<]*)<', answer.content.decode())
    return [" ".join(one.split()) for one in found]


def test_before_a_review_the_page_says_what_is_in_the_way(world: World) -> None:
    type(world.candidate).objects.filter(pk=world.candidate.pk).update(state=State.BLOCKED)
    shown = page(world)
    assert "No round is open" in words_of(shown)
    assert primary(shown) == []


def test_the_plan_page_says_what_each_plan_claims_and_costs_and_on_what_assumption(world: World) -> None:
    shown = page(world)
    told = words_of(shown)
    assert primary(shown) == ["Open the four rounds"]
    assert "all 8 are read: a count, not an estimate" in told
    assert "3 minutes a record, assumed until 20 scores in closed rounds say more" in told
    assert "1 minute a record, assumed" in told
    # 8, 5, 8 and 17 records, each by two: 42 scorings of three minutes, 34 of one.
    assert "about 2.7 hours of people" in told
    assert "(76 scorings)" in told
    assert "Every plan that can be used here reads all 8 records" in told
    assert "for 3,000 conversations or more" in told, "why the two stages cannot be used here"


def test_only_a_lead_can_choose_and_open(world: World) -> None:
    shown = page(world, "clinician1")
    assert primary(shown) == []
    assert "A release lead opens the rounds" in words_of(shown)
    assert act_open(world, "compliance1").status_code == 403


def act_open(world: World, who: str) -> HttpResponse:
    answer: HttpResponse = client_of(world, who).post(reverse("open-rounds", args=[world.candidate.release.version]))
    return answer


def test_the_curve_is_exact_for_the_population_and_leaves_out_who_reads_all() -> None:
    chart = curves.chart(list(PLANS.values())[:3], 200, STANDARD)
    assert chart is not None
    assert [line.plan.id for line in chart.lines] == ["pilot", "standard"], "High reads all of 200"
    chosen = chart.lines[-1]
    assert chosen.is_chosen
    failing = dict(chart.rates)["1 %"]
    row = next(row for row in chart.rows if row.plan == STANDARD)
    exact = plans.acceptance_chance(STANDARD.stages, 200, failing)
    assert (failing, row.chances[4]) == (2, f"{float(exact):.2f}")
    assert chosen.path.startswith("M58.0 30.0L"), "nothing wrong is always accepted"
    assert curves.chart([PILOT, HIGH], 59, PILOT) is None


@pytest.mark.parametrize(
    ("chance", "words"), [(0.0, "0.00"), (1e-9, "< 0.01"), (0.05, "0.05"), (0.9999, "> 0.99"), (1.0, "1.00")]
)
def test_a_small_chance_is_not_shown_as_none(chance: float, words: str) -> None:
    assert curves.chance_words(chance) == words


def test_hours_follow_the_reviewers_own_pace_once_rounds_are_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "ENOUGH", 10)
    factory.start(world, EDGE)
    factory.score_all(world.round(EDGE))
    # Rows of scores are never changed again, so the clock stands in.
    assert Score.objects.count() == 10
    monkeypatch.setattr(pace, "Score", _Timed)
    assert pace.paces()[EDGE].words == "2.5 minutes a record, the median of 10 scores in closed rounds"
    monkeypatch.setattr(pace, "ENOUGH", 11)
    assert pace.paces()[EDGE].scores == 0


class _Timed:
    """Ten scores of 150 seconds and none of an open round."""

    class objects:
        @staticmethod
        def filter(**asked: Any) -> Any:
            assert asked["assignment__item__round__state"] == RoundState.EVALUATED
            return _Timed.objects

        @staticmethod
        def order_by(_name: str) -> Any:
            return _Timed.objects

        @staticmethod
        def values_list(*_names: str) -> list[tuple[str, int]]:
            return [(EDGE.value, 150)] * 10


def test_scores_of_an_open_round_tell_no_pace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "ENOUGH", 1)
    factory.start(world, EDGE)
    factory.score_all(world.round(EDGE))
    assert pace.paces()[EDGE].scores == 0


def test_the_lead_goes_from_plan_to_sign_off_by_the_one_primary_button(world: World) -> None:
    version = world.candidate.release.version
    assert act_open(world, "lead").status_code == 302
    assert primary(page(world)) == ["Draw 8 for clinician_foundation"]
    for kind in KINDS:
        act(world, kind, "draw")
    assert primary(page(world)) == ["Assign clinician_foundation"]
    for kind in KINDS:
        act(world, kind, "assign")
    shown = page(world)
    assert primary(shown) == []
    assert "0 of 76 assignments are scored in 4 rounds" in words_of(shown)
    for kind in KINDS:
        factory.score_all(world.round(kind))
    for kind in KINDS[:-1]:
        assert primary(page(world)) == [f"Close {kind}"]
        act(world, kind, "close")
    act(world, PRIVACY, "close")
    world.refresh()
    assert world.candidate.state == State.IN_SIGNOFF
    assert "All four rounds passed; the candidate is in signoff" in words_of(page(world))
    assert Round.objects.filter(candidate__release__version=version, state=RoundState.EVALUATED).count() == 4


def test_the_opened_rounds_take_the_plan_that_can_be_used_and_only_tighter_ones_after(world: World) -> None:
    factory.open_all(world)
    shown = page(world)
    assert "A tighter plan" in words_of(shown)
    act(world, FOUNDATION, "tighten", plan="high")
    assert world.round(FOUNDATION).plan.id == "high"
    assert act(world, FOUNDATION, "tighten", plan="pilot").status_code == 409
    assert world.round(FOUNDATION).plan.id == "high"
    options = page(world).content.decode().split(f'id="p-{EDGE}"')[1].split("</select>")[0]
    assert re.findall(r'value="(\w+)"', options) == ["standard", "high"], "not the pilot that it has, nor a looser one"
    act(world, EDGE, "draw")
    assert f'id="p-{EDGE}"' not in page(world).content.decode()


def test_a_second_draw_needs_a_reason_and_both_are_shown_for_ever(world: World) -> None:
    factory.open_all(world)
    act(world, EDGE, "draw")
    first = Draw.objects.get(round=world.round(EDGE))
    refused = act(world, EDGE, "draw")
    assert refused.status_code == 422
    assert "Say why they are drawn from again" in words_of(refused)
    act(world, EDGE, "draw", reason="the wrong people were assigned")
    newest = world.round(EDGE).draw
    assert newest is not None
    for who in ("lead", "clinician1", "engineer"):
        told = words_of(page(world, who))
        assert first.nonce in told
        assert newest.nonce in told
        assert "the wrong people were assigned" in told
        assert f"manage.py verify_draw {world.candidate.release.version} clinician_edge --candidate 1" in told
    call_command("verify_draw", world.candidate.release.version, "clinician_edge", "--candidate", "1")


def test_nobody_is_offered_another_draw_once_a_score_is_in(world: World) -> None:
    factory.start(world, EDGE)
    assert "Draw again" in words_of(page(world))
    factory.submit(factory.waiting(world.round(EDGE))[0])
    assert "Draw again" not in words_of(page(world))


def test_progress_by_reviewer_is_counts_for_the_lead_only_and_by_name(world: World) -> None:
    factory.start(world, EDGE)
    one = factory.waiting(world.round(EDGE), world["clinician2"])[0]
    factory.submit(one, factory.bad(one.item.round.rubric))
    told = words_of(page(world))
    total = one.reviewer.assignments.count()
    assert f"clinician2 1 of {total}" in told
    assert told.index("clinician1 0 of") < told.index("clinician2 1 of")
    assert "Unusable." not in told
    assert "Unacceptable" not in told, "no condition shows before the round closes"
    assert "Reviewers, by name" not in words_of(page(world, "clinician1"))
    assert "1 of 10 assignments are scored" in words_of(page(world, "clinician1"))


def test_who_skipped_is_nobodys_to_see(world: World) -> None:
    factory.start(world, EDGE)
    one = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    scoring.skip(one.reviewer, one)
    assert "skip" not in words_of(page(world)).replace("Skip to content", "").lower()


def test_a_reviewer_is_replaced_for_a_reason(world: World) -> None:
    factory.start(world, EDGE)
    mine = len(factory.waiting(world.round(EDGE), world["clinician1"]))
    assert mine
    given = {"reviewer": str(world["clinician1"].pk)}
    assert act(world, EDGE, "replace", **given).status_code == 422
    assert act(world, EDGE, "replace", reviewer="nobody", reason="away").status_code == 422
    assert len(factory.waiting(world.round(EDGE), world["clinician1"])) == mine
    assert act(world, EDGE, "replace", reason="on leave", **given).status_code == 302
    assert factory.waiting(world.round(EDGE), world["clinician1"]) == []


def test_a_record_that_nobody_can_read_names_the_language(world: World) -> None:
    for name in ("clinician1", "clinician2", "clinician3"):
        type(world[name]).objects.filter(pk=world[name].pk).update(languages=["de"])
    factory.start(world, EDGE)
    told = words_of(page(world))
    assert "5 of 5 drawn records lack a reader" in told
    assert "5 records: nobody who may score it reads en" in told
    closing.close_round(world.round(EDGE), actor=world.lead)
    told = words_of(page(world))
    assert "All 5 conversations of family edge_cases were to be scored" in told, "they were not"
    assert "nobody who may score it reads en" in told
    assert "Ask the administrator for a reviewer who reads the language" in told


def raised(world: World) -> Escalation:
    factory.start(world, EDGE)
    one = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    return escalating.escalate(one.reviewer, one, "minor", "an age is said")


def settle(world: World, one: Escalation, who: str, **given: str) -> HttpResponse:
    url = reverse("close-escalation", args=[world.candidate.release.version, one.pk])
    answer: HttpResponse = client_of(world, who).post(url, given)
    return answer


def test_an_escalation_shows_who_raised_it_and_is_settled_by_a_named_person_in_words(world: World) -> None:
    one = raised(world)
    shown = page(world)
    assert primary(shown) == ["See the escalation"]
    assert "minor, in clinician_edge" in words_of(shown)
    assert "by clinician1" in words_of(shown)
    assert "an age is said" in words_of(shown)
    assert "an age is said" not in words_of(page(world, "bias1")), "the words are for who settles it"
    for given in ({}, {"resolution": "Looked at."}, {"confirmed": "no"}, {"resolution": "x", "confirmed": "maybe"}):
        assert settle(world, one, "lead", **given).status_code == 422
    assert "Looked at." in settle(world, one, "lead", resolution="Looked at.").content.decode(), "what was typed stays"
    one.refresh_from_db()
    assert one.closed_at is None
    assert settle(world, one, "clinician2", resolution="Fine.", confirmed="no").status_code == 403
    assert settle(world, one, "compliance1", resolution="An adult.", confirmed="no").status_code == 302
    one.refresh_from_db()
    assert (one.closed_by, one.resolution, one.is_confirmed) == (world["compliance1"], "An adult.", False)
    assert "by compliance1" in words_of(page(world))
    assert settle(world, one, "lead", resolution="Again.", confirmed="no").status_code == 409


def test_who_raised_it_or_built_the_candidate_does_not_settle_it(world: World) -> None:
    factory.start(world, PRIVACY)
    mine = factory.waiting(world.round(PRIVACY), world["compliance1"])[0]
    one = escalating.escalate(mine.reviewer, mine, "identifier", "a number")
    assert "you raised it" in words_of(page(world, "compliance1"))
    assert settle(world, one, "compliance1", resolution="Fine.", confirmed="no").status_code == 403


def test_a_confirmed_escalation_rejects_the_candidate(world: World) -> None:
    one = raised(world)
    settle(world, one, "lead", resolution="It is a child.", confirmed="yes")
    world.refresh()
    assert world.candidate.state == State.REJECTED
    assert "confirmed" in words_of(page(world))


def test_a_pass_shows_its_conditions_met(world: World) -> None:
    factory.start(world, EDGE)
    factory.pass_round(world, EDGE)
    section = page(world).content.decode().split(f'id="{EDGE}"')[1].split("</section>")[0]
    told = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert "Drawn at random 5 5 met" in told
    assert "not met" not in told
    assert "Nothing: this round is done." in told


def test_a_fail_says_by_what_and_what_to_do(world: World) -> None:
    factory.start(world, EDGE)
    for one in factory.waiting(world.round(EDGE)):
        factory.submit(one, factory.bad(one.item.round.rubric))
    act(world, EDGE, "close")
    world.refresh()
    shown = page(world)
    told = words_of(shown)
    assert primary(shown) == ["See why clinician_edge failed"]
    assert "clinician_edge failed, so the candidate is rejected" in told
    assert "Unacceptable at most 0 5 not met" in told
    assert "build a new candidate" in told


def test_an_inconclusive_round_says_what_is_open_and_can_be_opened_again_for_a_reason(world: World) -> None:
    factory.start(world)
    for kind in (FOUNDATION, BIAS, PRIVACY):
        factory.pass_round(world, kind)
    first, *_others = waiting = factory.waiting(world.round(EDGE))
    for one in waiting:
        factory.submit(one, factory.bad(one.item.round.rubric) if one == first else None)
    act(world, EDGE, "close")
    shown = page(world)
    assert primary(shown) == ["See what clinician_edge needs"]
    assert "Split between their reviewers, not settled 0 1 not met" in words_of(shown)
    assert "A third person has to settle" in words_of(shown)
    assert act(world, EDGE, "reopen").status_code == 422
    assert act(world, EDGE, "reopen", reason="a gap to fill").status_code == 302
    assert world.round(EDGE).state == RoundState.SCORING


def test_sign_off_is_not_offered_while_a_gate_is_outdated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.start(world)
    *others, last = KINDS
    for kind in others:
        factory.pass_round(world, kind)
    monkeypatch.setattr("gates.standing.code_version", lambda: "sha256:" + "9" * 64)
    factory.pass_round(world, last)
    shown = page(world)
    assert primary(shown) == ["See what is in the way"]
    assert "sign-off cannot be opened: the result of the gate coverage is outdated" in words_of(shown)


def test_times_are_in_the_readers_zone(world: World) -> None:
    type(world.lead).objects.filter(pk=world.lead.pk).update(time_zone="Asia/Tokyo")
    factory.open_all(world)
    assert "JST" in words_of(page(world))
    assert "UTC" in words_of(page(world, "clinician1"))


def test_the_page_keeps_to_its_budget_of_queries_in_every_state(world: World) -> None:
    counted = {"planned": asked(world)}
    factory.open_all(world)
    counted["opened"] = asked(world)
    for kind in KINDS:
        drawing.draw(world.round(kind), actor=world.lead)
        assigning.assign(world.round(kind), actor=world.lead)
    one = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    raised_here = escalating.escalate(one.reviewer, one, "other", "unsure")
    counted["scoring, escalated"] = asked(world)
    escalating.close_escalation(world.lead, raised_here, "Fine.", confirmed=False)
    for kind in KINDS:
        factory.pass_round(world, kind)
    counted["evaluated"] = asked(world)
    assert {state: count for state, count in counted.items() if count > BUDGET} == {}


def asked(world: World) -> int:
    client = client_of(world, "lead")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("reviews", args=[world.candidate.release.version])).status_code == 200
    return len(queries)


def test_neither_the_page_nor_a_draw_builds_the_scanner(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def built() -> None:
        raise AssertionError("the scanner was built in a process that shows pages")

    monkeypatch.setattr(engine, "scanner", built)
    assert page(world).status_code == 200
    assert act_open(world, "lead").status_code == 302
    assert act(world, EDGE, "draw").status_code == 302


def test_a_larger_population_is_drawn_from_and_has_its_curve(world: World, home: Any) -> None:
    write_source(home.source, {f"{PREFIXES['edge_cases']}more.jsonl": factory.records("more", 90)})
    world.candidate = factory.build(world["engineer"], "v2026-01-08")
    shown = page(world)
    told = words_of(shown)
    assert "59 drawn" in told
    # Standard reads all of 95, so the curve is of the pilot.
    assert (
        "if 1 of the 95 truly fails, Pilot refuses the release 62 times in 100; if 5 do, which is 5 % or more" in told
    )
    assert shown.content.decode().count("<figure") >= 1
    [preview] = [one for one in rounds.preview(world.candidate) if one.kind == EDGE]
    assert preview.population == 95
    assert DEFAULT_PLAN.size >= 95
