"""The pages of findings: who gets in and when, what is masked and audited, and where no text ever stands."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse

from mhds.models import AuditEvent
from releases.lifecycle import State
from releases.models import Candidate
from reviews import escalating, text_access
from reviews.plans import RoundKind
from tests.reviews import factory
from tests.reviews.factory import World

pytestmark = pytest.mark.access
EDGE = RoundKind.CLINICIAN_EDGE
FINDING = {"entity": "PERSON", "rule": "r", "score_bp": 9000, "turn": 0, "start": 10, "end": 20, "view": "raw"}
BEFORE_REVIEW = {State.DRAFT, State.BUILDING, State.GATING, State.BLOCKED}


@pytest.fixture
def flagged(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """Facts by which a name stands in two records; the text is the frozen one. Without its record: the second."""
    facts = text_access.population.load(world.candidate)
    rows = facts.records.to_pylist()
    joined = {
        **FINDING,
        "entity": "PHONE_NUMBER",
        "turn": -1,
        "start": 3,
        "end": 15,
        "view": "joined",
        "score_bp": 2000,
    }
    rows[0]["findings"] = [FINDING, {**FINDING, "rule": "another"}, joined]
    rows[1]["findings"] = [{**FINDING, "entity": "EMAIL_ADDRESS", "turn": 2}]
    table = type(facts.records).from_pylist(rows, facts.records.schema)
    found = type(facts)(**{name: getattr(facts, name) for name in facts.__slots__} | {"records": table})
    monkeypatch.setattr(text_access.population, "load", lambda _candidate: found)
    return world, rows[0]["record_id"]


def client_of(world: World, who: str) -> Client:
    client = Client()
    client.force_login(world.people.get(who) or factory.person("other", factory.Role.ENGINEER))
    return client


def in_state(world: World, state: State) -> None:
    Candidate.objects.filter(pk=world.candidate.pk).update(state=state)


def urls(world: World, record_id: str) -> tuple[str, str, str]:
    version = world.candidate.release.version
    return (
        reverse("findings", args=[version]),
        reverse("finding", args=[version, record_id]),
        reverse("reveal-record", args=[version, record_id]),
    )


def told(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("who", ["compliance1", "engineer", "other", "lead", "clinician1", "bias1", "admin"])
def test_role_and_state_decide_who_sees_anything(flagged: tuple[World, str], who: str, state: State) -> None:
    world, record_id = flagged
    in_state(world, state)
    client, (listed, around, reveal) = client_of(world, who), urls(world, record_id)
    looks = who == "compliance1" or (who == "engineer" and state in BEFORE_REVIEW)
    text = text_access.reveal(world["compliance1"], world.candidate, record_id, "to compare")[0].content
    before = {action: told(action) for action in ("text.excerpt", "text.revealed")}
    answers = [client.get(listed), client.get(around), client.post(reveal, {"reason": "is it real?"})]
    assert [one.status_code for one in answers] == [
        200 if looks else 403, 200 if looks else 403, 200 if who == "compliance1" else 403,
    ]  # fmt: skip
    assert told("text.excerpt") - before["text.excerpt"] == looks
    assert told("text.revealed") - before["text.revealed"] == (who == "compliance1")
    for one in answers:
        if one.status_code == 403:
            assert text[:10] not in one.content.decode()
            assert text[20:60] not in one.content.decode()


def test_the_list_names_kind_place_and_length_and_no_word(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    listed, around, _reveal = urls(world, record_id)
    shown = client_of(world, "compliance1").get(listed).content.decode()
    for words in (
        "4 of 4 findings",
        "in 2 records",
        "PERSON",
        "EMAIL_ADDRESS",
        "across turns",
        record_id,
        "part-00000",
    ):
        assert words in " ".join(shown.split())
    assert f"{around}?candidate=1#f-2" in shown
    assert f"{around}?candidate=1#f-3" not in shown, "what two rules found is one excerpt"
    text = text_access.reveal(world["compliance1"], world.candidate, record_id, "to compare")[0].content
    assert not [word for word in (text[:10], text[10:20], text[20:40]) if word in shown]


def test_the_list_is_narrowed_by_kind_and_says_when_nothing_is_left(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    listed, _around, _reveal = urls(world, record_id)
    client = client_of(world, "compliance1")
    assert "1 of 4 findings" in " ".join(client.get(listed, {"kind": "EMAIL_ADDRESS"}).content.decode().split())
    assert "No finding matches the filter" in client.get(listed, {"kind": "NO_SUCH_KIND"}).content.decode()
    assert client.get(listed, {"page": "99"}).status_code == 200


def test_a_finding_is_masked_and_the_page_is_not_kept(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    _listed, around, _reveal = urls(world, record_id)
    answer = client_of(world, "compliance1").get(around)
    text = text_access.reveal(world["compliance1"], world.candidate, record_id, "to compare")[0].content
    shown = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "[PERSON, 10 characters]" in shown
    assert "[PHONE_NUMBER, 12 characters]" in shown
    assert text[:10] in shown
    assert text[20:60] in shown
    assert text[10:20] not in shown
    assert text[60:90] not in shown
    assert text[:10] not in shown.split("</title>")[0]


def test_a_reveal_needs_a_reason_which_is_kept_and_no_link_leads_to_the_text(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    _listed, _around, reveal = urls(world, record_id)
    client = client_of(world, "compliance1")
    assert client.post(reveal, {"reason": "  "}).status_code == 422
    assert told("text.revealed") == 0
    assert client.get(reveal).status_code == 405
    answer = client.post(reveal, {"reason": "is the name real?"})
    assert answer["Cache-Control"] == "no-store"
    event = AuditEvent.objects.get(action="text.revealed")
    assert (event.actor, event.data["why"], event.data["record_id"]) == (
        world["compliance1"], "is the name real?", record_id,
    )  # fmt: skip
    text = text_access.reveal(world["compliance1"], world.candidate, record_id, "to compare")
    shown = answer.content.decode()
    assert all(turn.content[:60] in shown for turn in text)


def test_no_text_goes_into_a_log_or_the_audit_log(flagged: tuple[World, str], caplog: pytest.LogCaptureFixture) -> None:
    world, record_id = flagged
    listed, around, reveal = urls(world, record_id)
    client = client_of(world, "compliance1")
    with caplog.at_level(logging.DEBUG):
        client.get(listed)
        client.get(around)
        client.post(reveal, {"reason": "is it real?"})
    text = text_access.reveal(world["compliance1"], world.candidate, record_id, "to compare")[0].content
    kept = caplog.text + factory.as_json(list(AuditEvent.objects.values("action", "subject", "data")))
    assert not [part for part in (text[:10], text[10:20], text[20:40]) if part in kept]


def test_a_record_without_a_finding_is_not_shown_unless_it_was_escalated(world: World) -> None:
    factory.start(world, EDGE)
    one = factory.waiting(world.round(EDGE), world["clinician1"])[0]
    _listed, around, reveal = urls(world, one.item.record_id)
    client = client_of(world, "compliance1")
    assert client.get(around).status_code == 403
    assert client.post(reveal, {"reason": "curious"}).status_code == 403
    escalating.escalate(one.reviewer, one, "minor", "an age")
    assert "a reviewer escalated it" in client.get(around).content.decode()
    assert client.post(reveal, {"reason": "to settle it"}).status_code == 200
    assert client_of(world, "lead").post(reveal, {"reason": "to settle it"}).status_code == 403


def test_a_record_that_does_not_exist_and_a_candidate_without_findings(world: World) -> None:
    listed, around, reveal = urls(world, "r_" + "0" * 32)
    client = client_of(world, "compliance1")
    assert (client.get(around).status_code, client.post(reveal, {"reason": "x"}).status_code) == (404, 404)
    assert "Nothing was found in the 17 records" in " ".join(client.get(listed).content.decode().split())


def test_only_who_may_look_has_the_link_on_the_page_of_the_gate(world: World) -> None:
    version = world.candidate.release.version
    shown = {
        who: reverse("findings", args=[version])
        in client_of(world, who).get(reverse("gate", args=[version, "privacy"])).content.decode()
        for who in ("compliance1", "engineer", "lead", "clinician1")
    }
    assert shown == {"compliance1": True, "engineer": False, "lead": False, "clinician1": False}
    in_state(world, State.BLOCKED)
    page = client_of(world, "engineer").get(reverse("gate", args=[version, "privacy"])).content.decode()
    assert reverse("findings", args=[version]) in page
