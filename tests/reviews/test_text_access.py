"""The table of who may read which text, cell by cell, with the audit row that each read and refusal leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from mhds.errors import InvalidInput, NotAllowed, NotFound, ObjectDamaged, StorageError
from mhds.models import AuditEvent, User
from releases import stores
from releases.build.types import Message
from releases.lifecycle import State
from releases.models import Candidate, Contribution
from reviews import escalating, scoring, text_access
from reviews.excerpts import excerpts
from reviews.models import Assignment, Item
from reviews.plans import RoundKind
from tests.conftest import Home
from tests.factories import PREFIXES, jsonl, write_source
from tests.reviews import factory
from tests.reviews.factory import World

pytestmark = pytest.mark.access
EDGE = RoundKind.CLINICIAN_EDGE
EVERYONE = ("engineer", "lead", "clinician2", "bias1", "compliance1", "admin")


@pytest.fixture
def drawn(world: World) -> World:
    factory.start(world, EDGE)
    return world


def mine(world: World, who: str = "clinician1") -> Assignment:
    return factory.waiting(world.round(EDGE), world[who])[0]


def reads(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def test_an_assigned_reviewer_reads_their_open_item_and_the_log_holds_ids_only(drawn: World) -> None:
    item = mine(drawn).item
    messages = text_access.read_item(drawn["clinician1"], item)
    assert [one.role for one in messages] == ["user", "assistant"] * 2
    event = AuditEvent.objects.get(action="text.read")
    assert (event.actor, event.subject) == (drawn["clinician1"], f"item:{item.pk}")
    assert event.data == {"record_id": item.record_id, "round": str(item.round_id)}
    assert messages[0].content[:20] not in factory.as_json(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("who", EVERYONE)
def test_nobody_else_reads_it_and_each_try_is_in_the_log(drawn: World, who: str) -> None:
    item = mine(drawn).item
    Assignment.objects.filter(item=item).exclude(reviewer=drawn["clinician1"]).delete()
    with pytest.raises(NotAllowed):
        text_access.read_item(drawn[who], item)
    assert (reads("text.read"), reads("text.refused")) == (0, 1)


def test_a_submitted_item_is_not_read_again_and_undo_opens_it(drawn: World) -> None:
    one = mine(drawn)
    factory.submit(one)
    with pytest.raises(NotAllowed):
        text_access.read_item(one.reviewer, one.item)
    scoring.undo(one.reviewer, one)
    assert text_access.read_item(one.reviewer, one.item)


def test_reading_stops_with_the_round_the_role_a_clean_hand_and_an_escalation(drawn: World) -> None:
    one = mine(drawn)
    escalating.escalate(one.reviewer, one, "identifier", "a street and a name")
    assert "escalation" in text_access.may_read_item(one.reviewer, one.item)
    other = mine(drawn, "clinician2")
    Contribution.objects.create(candidate=drawn.candidate, user=other.reviewer, how="catalog")
    assert "reviewers" in text_access.may_read_item(other.reviewer, other.item)
    third = mine(drawn, "clinician3")
    third.reviewer.groups.clear()
    assert "reviewers" in text_access.may_read_item(User.objects.get(pk=third.reviewer.pk), third.item)


def test_a_draw_alone_lets_nobody_read(world: World) -> None:
    factory.open_all(world)
    factory.drawing.draw(world.round(EDGE), actor=world.lead)
    item = Item.objects.filter(round=world.round(EDGE)).first()
    assert text_access.may_read_item(world["clinician1"], item) == "the round is not open"


def test_reading_ahead_is_audited_and_starts_no_clock(drawn: World) -> None:
    one = mine(drawn)
    text_access.read_item(one.reviewer, one.item, ahead=True)
    assert Assignment.objects.get(pk=one.pk).opened_at is None
    text_access.read_item(one.reviewer, one.item)
    assert Assignment.objects.get(pk=one.pk).opened_at is not None
    assert reads("text.read") == 2


def shard(world: World, item: Item) -> Path:
    return Path(stores.bucket().url.removeprefix("file://")) / world.candidate.staging / item.shard


@pytest.mark.parametrize("change", ["text", "cut", "gone", "shifted"])
def test_a_record_that_is_not_the_one_frozen_is_never_shown(drawn: World, change: str) -> None:
    item = mine(drawn).item
    path = shard(drawn, item)
    body = path.read_bytes()
    path.chmod(0o600)
    if change == "text":
        at = body.index(b'"content":"', item.offset) + 11
        path.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
    elif change == "cut":
        path.write_bytes(body[: item.offset + 3])
    elif change == "gone":
        path.unlink()
    else:
        path.write_bytes(b" " + body)
    with pytest.raises(StorageError) as caught:
        text_access.read_item(drawn["clinician1"], item)
    words = {word for word in body.decode().split('"') if len(word) > 60}
    assert not any(word in str(caught.value) for word in words)
    if change in ("text", "shifted"):
        assert isinstance(caught.value, ObjectDamaged)


@pytest.fixture
def flagged(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """A record with a finding: its facts say that turn 1, characters 10 to 20 name somebody."""
    facts = text_access.population.load(world.candidate)
    rows = facts.records.to_pylist()
    rows[0]["findings"] = [
        {"entity": "PERSON", "rule": "r", "score_bp": 9000, "turn": 0, "start": 10, "end": 20, "view": "raw"}
    ]
    table = type(facts.records).from_pylist(rows, facts.records.schema)
    found = type(facts)(**{name: getattr(facts, name) for name in facts.__slots__} | {"records": table})
    monkeypatch.setattr(text_access.population, "load", lambda _candidate: found)
    return world, rows[0]["record_id"]


def in_state(world: World, state: State) -> Candidate:
    """The state alone is what the table asks about; how a candidate comes there is tested elsewhere."""
    Candidate.objects.filter(pk=world.candidate.pk).update(state=state)
    return world.refresh()


def test_compliance_sees_forty_characters_around_a_finding_and_never_the_finding(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    [seen] = text_access.read_around_findings(world["compliance1"], world.candidate, record_id)
    whole = text_access.reveal(world["compliance1"], world.candidate, record_id, "is the name real?")[0].content
    assert (seen.before, seen.masked, seen.after) == (whole[:10], "[PERSON, 10 characters]", whole[20:60])
    assert reads("text.excerpt") == 1
    assert AuditEvent.objects.get(action="text.revealed").data["why"] == "is the name real?"


def test_a_reveal_needs_compliance_a_reason_and_a_finding(flagged: tuple[World, str]) -> None:
    world, record_id = flagged
    for who in ("engineer", "lead", "clinician1", "bias1", "admin"):
        with pytest.raises(NotAllowed):
            text_access.reveal(world[who], world.candidate, record_id, "curious")
    with pytest.raises(InvalidInput):
        text_access.reveal(world["compliance1"], world.candidate, record_id, " ")
    plain = text_access.population.load(world.candidate).records["record_id"][1].as_py()
    with pytest.raises(NotAllowed):
        text_access.reveal(world["compliance1"], world.candidate, plain, "curious")
    with pytest.raises(NotAllowed):
        text_access.read_around_findings(world["compliance1"], world.candidate, plain)
    with pytest.raises(NotFound):
        text_access.reveal(world["compliance1"], world.candidate, "r_" + "0" * 32, "curious")
    assert (reads("text.revealed"), reads("text.excerpt"), reads("text.refused")) == (0, 0, 7)


@pytest.mark.parametrize("state", list(State))
def test_the_engineer_sees_findings_of_their_own_candidate_until_it_is_in_review(
    flagged: tuple[World, str], state: State
) -> None:
    world, record_id = flagged
    candidate = in_state(world, state)
    early = state in {State.DRAFT, State.BUILDING, State.GATING, State.BLOCKED}
    assert (text_access.may_read_findings(world["engineer"], candidate) == "") == early
    if early:
        assert text_access.read_around_findings(world["engineer"], candidate, record_id)


@pytest.mark.parametrize("who", ["lead", "clinician1", "bias1", "admin", "other"])
def test_nobody_else_sees_findings_at_any_time(flagged: tuple[World, str], who: str) -> None:
    world, record_id = flagged
    candidate = in_state(world, State.BLOCKED)
    user = world.people.get(who) or factory.person("other", factory.Role.ENGINEER)
    with pytest.raises(NotAllowed):
        text_access.read_around_findings(user, candidate, record_id)
    assert reads("text.refused") == 1


def test_an_escalated_record_may_be_revealed_to_compliance(drawn: World) -> None:
    one = mine(drawn)
    escalating.escalate(one.reviewer, one, "minor", "an age")
    assert text_access.reveal(drawn["compliance1"], drawn.candidate, one.item.record_id, "to settle the escalation")


def test_other_findings_and_repeats_in_the_surroundings_are_masked_too() -> None:
    text = "Call Anna Berg at 555-0199, or Anna Berg's sister Ida."
    found = [
        {"turn": 0, "start": 5, "end": 14, "entity": "PERSON"},
        {"turn": 0, "start": 18, "end": 26, "entity": "PHONE_NUMBER"},
        {"turn": -1, "start": 3, "end": 9, "entity": "EMAIL_ADDRESS"},
    ]
    who, number = "[PERSON, 9 characters]", "[PHONE_NUMBER, 8 characters]"
    across, name, phone = excerpts((Message("user", text),), found)
    assert (name.before, name.after) == ("Call ", f" at {number}, or {who}'s sister Ida.")
    assert (phone.before, phone.after) == (f"Call {who} at ", f", or {who}'s sister Ida.")
    assert (across.turn, across.before, across.masked, across.after) == (0, "", "[EMAIL_ADDRESS, 6 characters]", "")


def test_a_window_never_cuts_into_a_masked_value() -> None:
    text = "A" * 5 + "0123456789" + "b" * 35 + "XY" + "c" * 5
    found = [{"turn": 0, "start": 5, "end": 15, "entity": "ID"}, {"turn": 0, "start": 50, "end": 52, "entity": "ID"}]
    _first, second = excerpts((Message("user", text),), found)
    assert second.before == "[ID, 10 characters]" + "b" * 35


def test_what_the_build_redacted_leaves_nothing_to_look_at(world: World, home: Home) -> None:
    row = factory.conversation("planted", turns=2, words=30)
    row["messages"][0]["content"] += " Write to jane.roe@example.com today."
    write_source(home.source, {f"{PREFIXES['priority']}b.jsonl": jsonl([row])})
    candidate = factory.build(world["engineer"], "v2026-01-08")
    rows = text_access.population.load(candidate).records.to_pylist()
    record = next(one for one in rows if one["source_key"].endswith("b.jsonl"))
    assert record["findings"] == []
    with pytest.raises(NotAllowed):
        text_access.read_around_findings(world["compliance1"], candidate, record["record_id"])
