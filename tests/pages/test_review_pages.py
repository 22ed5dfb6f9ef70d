"""The pages of reviews: who gets in, who sees nothing, what a stale draft and an incomplete score are told."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mhds.models import User
from reviews import assigning, drawing, rounds
from reviews.models import Assignment, Draft, Score
from reviews.states import AssignmentState
from tests.reviews.conftest import world  # noqa: F401  the fixture itself
from tests.reviews.factory import World

pytestmark = pytest.mark.pages


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def scored(world: World) -> Assignment:  # noqa: F811  pytest asks by name
    """One open record of a clinician, in a round drawn and assigned."""
    opened = rounds.open_rounds(world.candidate, actor=world.lead, plans=dict.fromkeys(rounds.DEFAULT_RUBRICS, "pilot"))
    first = next(one for one in opened if one.kind == "clinician_foundation")
    drawing.draw(first, actor=world.lead)
    assigning.assign(first, actor=world.lead)
    return Assignment.objects.filter(item__round=first).select_related("reviewer", "item__round").order_by("pk")[0]


def test_only_whose_record_it_is_opens_it(scored: Assignment, world: World) -> None:  # noqa: F811
    url = reverse("score-item", args=[scored.pk])
    mine = client_of(scored.reviewer).get(url)
    assert mine.status_code == 200
    assert mine["Cache-Control"] == "no-store"
    others = [one for one in User.objects.filter(groups__name="clinician") if one != scored.reviewer]
    assert others
    assert {client_of(one).get(url).status_code for one in others} == {404}
    assert client_of(world.lead).get(url).status_code == 403


def test_nothing_is_chosen_before_the_reviewer_chooses(scored: Assignment) -> None:
    shown = client_of(scored.reviewer).get(reverse("score-item", args=[scored.pk])).content.decode()
    assert 'type="radio"' in shown
    assert "checked" not in shown.split('id="scores"')[1]


def test_a_stale_draft_is_told_which_version_is_kept(scored: Assignment) -> None:
    client, url = client_of(scored.reviewer), reverse("score-draft", args=[scored.pk])
    assert client.post(url, {"version": "0", "score.A3": "2"}).json() == {"version": 1}
    stale = client.post(url, {"version": "0", "score.A3": "0"})
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert Draft.objects.get(assignment=scored).payload["scores"] == {"A3": 2}


def test_an_incomplete_score_comes_back_with_what_is_missing(scored: Assignment) -> None:
    answer = client_of(scored.reviewer).post(
        reverse("submit-score", args=[scored.pk]), {"version": "0", "score.A3": "2"}
    )
    assert answer.status_code == 422
    assert b"Not scored yet." in answer.content
    assert not Score.objects.exists()


def test_a_plain_form_submits_and_goes_on(scored: Assignment) -> None:
    filled = {f"score.A{number}": "2" for number in range(3, 9)} | {"score.A1": "n/a", "score.A2": "n/a"}
    posted = {**filled, "answer.false_alarm": "no", "criticals": "none", "version": "0"}
    answer = client_of(scored.reviewer).post(reverse("submit-score", args=[scored.pk]), posted)
    assert answer.status_code == 302
    assert answer["Location"] != reverse("score-item", args=[scored.pk])
    scored.refresh_from_db()
    assert scored.state == AssignmentState.SUBMITTED


def test_only_a_lead_opens_rounds(world: World) -> None:  # noqa: F811
    version = world.candidate.release.version
    statuses = {
        name: client_of(world[name]).post(reverse("open-rounds", args=[version])).status_code
        for name in ("engineer", "lead")
    }
    assert statuses["engineer"] == 403
    assert statuses["lead"] != 403
