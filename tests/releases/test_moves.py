"""A candidate moves by the table of the lifecycle alone, one mover wins, and every move leaves its event."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from mhds import audit
from mhds.errors import Blocked, Conflict, IllegalTransition, InvalidInput, NotAllowed
from mhds.models import AuditEvent
from mhds.roles import Role
from releases import evidence, lifecycle, services
from releases.lifecycle import MOVES, Action, Evidence, Facts, State, decide
from releases.models import Candidate
from tests.factories import VERSION, catalog_toml, people

pytestmark = [pytest.mark.build, pytest.mark.django_db]
ALL = ("built", "frozen", "gates", "rounds", "signatures", "storage", "written", "unwritten")
GOOD = Facts(tuple(Evidence(name) for name in ALL), "because")
ENDS = {State.WITHDRAWN, State.REJECTED, State.ABANDONED}


@pytest.fixture
def candidate():
    who = people()
    services.import_catalog(catalog_toml(), actor=who[Role.ENGINEER])
    return services.create_candidate(VERSION, actor=who[Role.ENGINEER])


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("state", list(State))
def test_a_move_is_legal_from_its_sources_and_nowhere_else(action, state):
    if state in MOVES[action].sources:
        assert decide(action, state, GOOD) == MOVES[action].target
    else:
        with pytest.raises(IllegalTransition, match="is not possible while"):
            decide(action, state, GOOD)


def test_nothing_leads_out_of_an_end():
    assert {state for state in State if not lifecycle.actions_from(state)} == ENDS


def test_every_state_but_the_first_can_be_reached():
    assert {move.target for move in MOVES.values()} == set(State) - {State.DRAFT}


NEEDED = {
    Action.GATE: {"built"},
    Action.REVIEW: {"frozen", "gates"},
    Action.SIGN_OFF: {"frozen", "gates", "rounds"},
    Action.APPROVE: {"frozen", "gates", "rounds", "signatures"},
    Action.PUBLISH: {"frozen", "gates", "rounds", "signatures", "storage"},
    Action.PUBLISHED: {"frozen", "gates", "rounds", "signatures", "written"},
    Action.ABANDON: {"unwritten"},
}


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("name", ALL)
def test_evidence_that_is_needed_blocks_when_it_is_absent_or_says_no(action, name):
    source = next(iter(MOVES[action].sources))
    absent = Facts(tuple(Evidence(one) for one in ALL if one != name), "because")
    refusing = Facts(tuple(Evidence(one, ("no",) if one == name else ()) for one in ALL), "because")
    for facts in (absent, refusing):
        if name in NEEDED.get(action, set()):
            with pytest.raises(Blocked) as caught:
                decide(action, source, facts)
            assert len(caught.value.blockers) == 1
        else:
            decide(action, source, facts)


@pytest.mark.parametrize("action", [Action.REJECT, Action.REOPEN, Action.UNAPPROVE, Action.WITHDRAW, Action.ABANDON])
def test_moves_that_take_something_back_need_a_reason(action):
    with pytest.raises(Blocked, match="a reason is required"):
        decide(action, next(iter(MOVES[action].sources)), Facts(GOOD.evidence, "  "))


def test_a_move_writes_state_event_and_audit_together(candidate):
    services.transition(candidate, Action.BUILD, actor=candidate.built_by)
    candidate.refresh_from_db()
    event = candidate.events.get()
    assert (candidate.state, event.from_state, event.to_state, event.seq) == ("building", "draft", "building", 1)
    assert set(event.evidence) >= {"frozen", "gates"}
    assert AuditEvent.objects.order_by("-seq")[0].action == "candidate.build"
    assert list(audit.broken_links()) == []


def test_a_refused_move_changes_nothing(candidate):
    services.transition(candidate, Action.BUILD, actor=candidate.built_by)
    before = AuditEvent.objects.count()
    with pytest.raises(Blocked, match="not built yet"):
        services.transition(candidate, Action.GATE, actor=candidate.built_by)
    candidate.refresh_from_db()
    assert (candidate.state, candidate.events.count(), AuditEvent.objects.count()) == ("building", 1, before)


def test_who_looked_at_an_older_state_does_not_move_it(candidate):
    seen_before = Candidate.objects.get(pk=candidate.pk)
    services.transition(candidate, Action.BUILD, actor=candidate.built_by)
    with pytest.raises(IllegalTransition):
        services.transition(seen_before, Action.BUILD, actor=candidate.built_by)


def test_the_signal_of_a_move_waits_for_the_commit(candidate, django_capture_on_commit_callbacks):
    heard = []

    def hear(candidate, action, **_kwargs):
        heard.append(action)

    services.candidate_moved.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            services.transition(candidate, Action.BUILD, actor=candidate.built_by)
            assert heard == []
        assert heard == [Action.BUILD]
    finally:
        services.candidate_moved.disconnect(hear)


def test_a_state_that_nobody_knows_is_refused_by_the_database(candidate):
    with pytest.raises(IntegrityError), transaction.atomic():
        Candidate.objects.filter(pk=candidate.pk).update(state="fine")


def test_the_database_holds_one_published_candidate_for_a_release(candidate):
    other = services.create_candidate(VERSION, actor=candidate.built_by)
    Candidate.objects.filter(pk=candidate.pk).update(state=State.PUBLISHED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Candidate.objects.filter(pk=other.pk).update(state=State.PUBLISHING)


def test_a_published_version_takes_no_new_candidate(candidate):
    Candidate.objects.filter(pk=candidate.pk).update(state=State.PUBLISHED)
    with pytest.raises(Conflict, match="is published"):
        services.create_candidate(VERSION, actor=candidate.built_by)


def test_the_builder_and_the_editor_of_the_catalog_are_contributors(candidate):
    assert set(candidate.contributions.values_list("how", flat=True)) == {"built", "catalog"}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ENGINEER])
def test_only_an_engineer_builds_and_imports_a_catalog(candidate, role):
    other = candidate.built_by.__class__.objects.get(name=role.value)
    with pytest.raises(NotAllowed):
        services.create_candidate(VERSION, actor=other)
    with pytest.raises(NotAllowed):
        services.import_catalog(catalog_toml(), actor=other)


def test_nobody_in_particular_builds_only_where_the_installation_is_embedded(candidate, settings):
    settings.EMBEDDED = False
    with pytest.raises(NotAllowed):
        services.create_candidate(VERSION, actor=None)


NO_VERSIONS = (
    "2026-01-07", "v2026-1-7", "v2026-02-30", "v2026-01-07.1", "v2026-01-07.02", "v2026-01-07\n", "v2026-01-07.0",
    "v٢٠٢٦-01-07",
)  # fmt: skip


@pytest.mark.parametrize("version", NO_VERSIONS)
def test_what_is_no_version_is_refused(version):
    with pytest.raises(InvalidInput):
        services.check_version(version)


@pytest.mark.parametrize("version", ["v2026-01-07", "v2026-01-07.2", "v2024-02-29.9999"])
def test_a_version_is_a_real_date_and_from_the_second_of_a_day_on_a_number(version):
    assert services.check_version(version) == version


def test_a_missing_collector_is_itself_in_the_way(candidate, monkeypatch):
    monkeypatch.delitem(evidence.COLLECTORS, "built")
    services.transition(candidate, Action.BUILD, actor=candidate.built_by)
    with pytest.raises(Blocked, match="no evidence of built was collected"):
        services.transition(candidate, Action.GATE, actor=candidate.built_by)
