"""The pages of reviews: who gets in, who sees nothing, what a stale draft and an incomplete score are told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mhds.models import AuditEvent, User
from reviews import assigning, drawing, rounds, scoring
from reviews.models import Assignment, Draft, Escalation, Item, Score
from reviews.states import AssignmentState
from tests.reviews.conftest import world  # noqa: F401  the fixture itself
from tests.reviews.factory import World, submit

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


def ask(client: Client, name: str, mine: Assignment, **posted: str) -> Any:
    """As the page's script asks."""
    return client.post(reverse(name, args=[mine.pk]), posted, headers={"accept": "application/json"})


def test_a_record_read_ahead_is_audited_as_a_read_and_its_clock_does_not_start(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    answer = client.get(reverse("score-ahead", args=[scored.pk]))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    read = AuditEvent.objects.get(action="text.read")
    assert (read.actor, read.subject) == (scored.reviewer, f"item:{scored.item_id}")
    scored.refresh_from_db()
    assert scored.opened_at is None
    assert ask(client, "score-act", scored, act="opened").status_code == 200
    scored.refresh_from_db()
    assert scored.opened_at is not None


def test_a_record_read_ahead_and_then_escalated_is_not_opened(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    escalated = ask(client, "score-act", scored, act="escalate", kind="minor", reason="Fifteen, as they say.")
    assert reverse("score-item", args=[scored.pk]) not in escalated.json()["next"]
    assert ask(client, "score-act", scored, act="opened").status_code == 409
    assert client.get(reverse("score-ahead", args=[scored.pk])).status_code == 403


def test_an_escalation_without_kind_or_reason_is_refused_in_words(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    for posted in ({"kind": "", "reason": "Something."}, {"kind": "minor", "reason": " "}):
        refused = ask(client, "score-act", scored, act="escalate", **posted)
        assert refused.status_code == 422
        assert refused.json()["title"]
    assert not Escalation.objects.exists()


def test_comments_are_kept_with_the_draft_and_with_the_score(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    comments = [{"turn": 1, "text": "Warm.", "start": 0, "end": 4, "sha256": "a" * 64}]
    posted = {"version": "0", "comments": json.dumps(comments), "score.A3": "2"}
    assert ask(client, "score-draft", scored, **posted).json() == {"version": 1}
    assert Draft.objects.get(assignment=scored).comments == comments
    shown = client.get(reverse("score-item", args=[scored.pk])).content.decode()
    assert "Warm." in shown
    words = ask(client, "score-draft", scored, **{**posted, "version": "1", "comments": "{"})
    assert words.status_code == 422


def test_the_script_is_told_which_control_is_missing(scored: Assignment) -> None:
    answer = ask(client_of(scored.reviewer), "submit-score", scored, version="0", **{"score.A3": "2"})
    assert answer.status_code == 422
    assert {"field": "scores.A1", "message": "Not scored yet."} in answer.json()["errors"]


def test_a_tagged_record_stands_veiled_unless_the_person_chose_otherwise(scored: Assignment) -> None:
    client, url = client_of(scored.reviewer), reverse("score-item", args=[scored.pk])
    assert "data-veil-head" not in client.get(url).content.decode()
    Item.objects.filter(pk=scored.item_id).update(is_critical=True, tags=["crisis_terms"])
    veiled = client.get(url).content.decode()
    assert "It is tagged: crisis terms." in veiled
    assert veiled.count("<template>") == scored.item.turns
    assert "<template>" not in client.get(url + "?unveiled=1").content.decode()
    User.objects.filter(pk=scored.reviewer_id).update(veil_sensitive=False)
    assert "<template>" not in client.get(url).content.decode()


def test_the_day_s_own_limit_offers_untagged_records_and_says_so_kindly(scored: Assignment) -> None:
    user, round_ = scored.reviewer, scored.item.round
    client = client_of(user)
    mine = scoring.upcoming(user, round_, 99)
    Item.objects.filter(pk__in=[one.item_id for one in mine[:2]]).update(is_critical=True)
    User.objects.filter(pk=user.pk).update(tagged_cap=1)
    submit(Assignment.objects.get(pk=mine[0].pk))
    refused = client.get(reverse("score-item", args=[mine[1].pk]))
    assert refused["Location"] == reverse("score-item", args=[mine[2].pk])
    page = client.get(reverse("my-work")).content.decode()
    assert "your limit for a day" in page
    assert "An untagged one comes next." in page
    at_once = ask(client, "score-act", mine[1], act="opened").json()  # read ahead before the limit was reached
    assert at_once["next"] == reverse("score-item", args=[mine[2].pk])
    User.objects.filter(pk=user.pk).update(tagged_cap=0)
    assert client.get(reverse("score-item", args=[mine[1].pk])).status_code == 200


def test_support_is_shown_only_where_an_address_is_set(scored: Assignment, settings: Any) -> None:
    client, url = client_of(scored.reviewer), reverse("score-item", args=[scored.pk])
    assert ">Support<" not in client.get(url).content.decode()
    settings.MHDS_SUPPORT_URL = "https://support.example.org/"
    for address in (url, reverse("my-work")):
        assert 'href="https://support.example.org/"' in client.get(address).content.decode()


def test_keys_chosen_without_script_come_back_printed_on_the_buttons(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    answer = client.post(reverse("own-keys"), {"on": "1", "key.skip": "d", "back": str(scored.pk)}, follow=True)
    assert '<kbd data-key="skip">D</kbd>' in answer.content.decode()
    assert client.post(reverse("own-keys"), {"key.skip": "f"}).status_code == 422


def test_my_work_says_how_much_is_left_at_one_s_own_pace(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    total = Assignment.objects.filter(reviewer=scored.reviewer).count()
    assert f"0 of {total} scored." in " ".join(client.get(reverse("my-work")).content.decode().split())
    submit(scored)
    opened = timezone.now() - timedelta(seconds=90)
    following = scoring.upcoming(scored.reviewer, scored.item.round, 1)[0]
    Assignment.objects.filter(pk=following.pk).update(opened_at=opened)
    submit(Assignment.objects.get(pk=following.pk))
    minutes = -(-45 * (total - 2) // 60)  # never opened counts as 0 seconds, the second as 90: 45 each
    told = f"2 of {total} scored, about {minutes} min left at your pace."
    assert told in " ".join(client.get(reverse("my-work")).content.decode().split())


def test_the_screen_asks_the_database_at_most_fifteen_times(scored: Assignment) -> None:
    client = client_of(scored.reviewer)
    for name in ("score-item", "score-ahead"):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(name, args=[scored.pk])).status_code == 200
        # BEGIN and SAVEPOINT around the audited read are not questions.
        assert len([one for one in asked if one["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]) <= 15


def test_only_a_lead_opens_rounds(world: World) -> None:  # noqa: F811
    version = world.candidate.release.version
    statuses = {
        name: client_of(world[name]).post(reverse("open-rounds", args=[version])).status_code
        for name in ("engineer", "lead")
    }
    assert statuses["engineer"] == 403
    assert statuses["lead"] != 403
