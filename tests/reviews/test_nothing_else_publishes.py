"""What must never publish, and each by every way in: the page, problem JSON from it, the REST API, the service call.

The candidate is put into *approved* by hand wherever its own way would never have led there: the last guard must not
rest on the guards before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from gates.models import GateResult
from mhds.errors import MhdsError
from mhds.models import User, WorkItem
from mhds.roles import Role
from releases import stores, tokens
from releases.lifecycle import State
from releases.models import Candidate, Contribution
from releases.publishing.services import PUBLISH, publish_now, start_publish
from reviews import closing
from reviews.plans import RoundKind
from reviews.states import Meaning
from tests.conftest import Home
from tests.factories import person
from tests.reviews import factory
from tests.reviews.factory import KINDS, World

pytestmark = pytest.mark.publish
Fault = Callable[[World, pytest.MonkeyPatch, Home], None]


# --- the faults -------------------------------------------------------------------------------------------------


def forge(sql: str) -> None:
    """What somebody with the database in their hands could do."""
    with connection.cursor() as cursor:
        on_sqlite = connection.vendor == "sqlite"
        for verb in ("update", "delete") if on_sqlite else ("append_only ON gates_gateresult",):
            cursor.execute(f"DROP TRIGGER gates_gateresult_no_{verb}" if on_sqlite else f"DROP TRIGGER {verb}")
        cursor.execute(sql)


def signed(world: World) -> None:
    factory.pass_all(world)
    factory.sign_all(world)
    world.refresh()


def missing_gate(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    forge("DELETE FROM gates_gateresult WHERE gate = 'leakage'")


def failed_gate(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    forge("UPDATE gates_gateresult SET verdict = 'FAIL' WHERE gate = 'privacy'")


def crashed_gate(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    forge("UPDATE gates_gateresult SET verdict = 'ERROR' WHERE gate = 'duplicates'")


def outdated_gate(world: World, patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    patch.setattr("gates.standing.code_version", lambda: "sha256:" + "9" * 64)


def failed_round(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    factory.start(world)
    *others, last = KINDS
    for kind in others:
        factory.pass_round(world, kind)
    factory.score_all(world.round(last), payload=factory.bad(world.round(last).rubric))
    closing.close_round(world.round(last), actor=world.lead)


def inconclusive_round(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    factory.start(world)
    one = factory.waiting(world.round(RoundKind.BIAS_FOUNDATION))[0]
    factory.submit(one, factory.bad(world.round(RoundKind.BIAS_FOUNDATION).rubric))
    for kind in KINDS:
        factory.pass_round(world, kind)


def missing_round(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    factory.start(world, *KINDS[:3])
    for kind in KINDS[:3]:
        factory.pass_round(world, kind)


def no_rounds(_world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    """Nobody has looked at a single record."""


def reopened_round(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    closing.reopen_round(world.round(RoundKind.PRIVACY), actor=world.lead, reason="a doubt")


def missing_signature(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    factory.pass_all(world)
    factory.sign(world, "clinician1", Meaning.CLINICIAN)
    factory.sign(world, "lead", Meaning.LEAD)


def declined_signature(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    missing_signature(world, _patch, _home)
    factory.sign(world, "bias1", Meaning.BIAS_REVIEWER, decision="declined", notes="Two replies mock a faith.")


def outdated_signature(world: World, patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    patch.setattr("reviews.standing.signoff_statement", lambda *_given: "Other sentences than those signed.")


def rebuilt(world: World, _patch: pytest.MonkeyPatch, home: Home) -> None:
    """The signatures are the earlier candidate's; the new one has rounds and none of its own."""
    signed(world)
    factory.fill_source(home.source, extra=1)
    world.candidate = factory.build(world["engineer"], world.candidate.release.version)
    factory.pass_all(world)


def contributors_signature(world: World, _patch: pytest.MonkeyPatch, _home: Home) -> None:
    signed(world)
    Contribution.objects.create(candidate=world.candidate, user=world["bias1"], how="policy")


FAULTS: dict[str, tuple[Fault, str]] = {
    "a missing gate": (missing_gate, "the gate leakage has not been run"),
    "a failed gate": (failed_gate, "the gate privacy says FAIL"),
    "a gate that crashed": (crashed_gate, "the gate duplicates says ERROR"),
    "an outdated gate": (outdated_gate, "the result of the gate coverage is outdated"),
    "a failed round": (failed_round, "the round privacy failed"),
    "an inconclusive round": (inconclusive_round, "the round bias foundation is inconclusive"),
    "a missing round": (missing_round, "the round privacy is planned, not evaluated"),
    "no round at all": (no_rounds, "the round clinician foundation is not opened"),
    "a round that was opened again": (reopened_round, "the round privacy is scoring, not evaluated"),
    "a missing signature": (missing_signature, "the signature of the bias reviewer is missing"),
    "a declined signature": (declined_signature, "bias1 declined to sign as bias reviewer"),
    "an outdated signature": (outdated_signature, "the signature of the clinician is outdated: the statement changed"),
    "signatures of an earlier candidate": (rebuilt, "the signature of the lead is missing"),
    "a contributor's signature": (contributors_signature, "the signer's hand in the candidate changed since"),
}


# --- the ways in ------------------------------------------------------------------------------------------------


def second_lead() -> User:
    return person("lead2", Role.LEAD)


def by_service(world: World, lead: User) -> list[str]:
    reasons: list[str] = []
    for way in (start_publish, publish_now):
        with pytest.raises(MhdsError) as refused:
            way(world.candidate, lead, world.candidate.content_digest)
        reasons = list(getattr(refused.value, "blockers", [])) or [refused.value.message]
    return reasons


def post(world: World, lead: User, accept: str) -> Any:
    client = Client(raise_request_exception=False)
    client.force_login(lead)
    url = reverse("publish", kwargs={"version": world.candidate.release.version})
    data = {"expected_digest": world.candidate.content_digest}
    return client.post(f"{url}?candidate={world.candidate.number}", data, headers={"accept": accept})


def by_page(world: World, lead: User) -> str:
    client = Client()
    client.force_login(lead)
    url = reverse("publish", kwargs={"version": world.candidate.release.version})
    page = client.get(f"{url}?candidate={world.candidate.number}")
    assert page.status_code == 200
    assert "expected_digest" not in page.content.decode(), "the page offers to publish"
    refused = post(world, lead, "text/html")
    assert refused.status_code == 409
    return str(refused.content.decode())


def by_problem(world: World, lead: User) -> dict[str, Any]:
    refused = post(world, lead, "application/problem+json")
    assert (refused.status_code, refused.headers["Content-Type"]) == (409, "application/problem+json")
    body: dict[str, Any] = refused.json()
    return body


def by_api(world: World) -> None:
    """A training job sees nothing, and no verb of the API writes a release."""
    _row, secret = tokens.create_token("job", ["read", "consume"], 1)
    client = Client(headers={"authorization": f"Bearer {secret}"})
    release = f"/api/v1/releases/{world.candidate.release.version}"
    assert client.get("/api/v1/channels/latest").json()["code"] == "no-release"
    assert client.get("/api/v1/releases").json()["results"] == []
    for part in ("", "/manifest", "/events", "/files/SHA256SUMS"):
        assert client.get(release + part).status_code == 404
    for verb in (client.post, client.put, client.patch, client.delete):
        assert verb(release, {}, content_type="application/json").status_code == 405


def nothing_was_published(world: World) -> None:
    assert not WorkItem.objects.filter(kind=PUBLISH).exists()
    assert list(stores.bucket().list("exports/")) == []
    assert not Candidate.objects.filter(state__in=[State.PUBLISHING, State.PUBLISHED]).exists()


def approve_by_hand(world: World) -> None:
    Candidate.objects.filter(pk=world.candidate.pk).update(state=State.APPROVED)
    world.refresh()


@pytest.mark.parametrize("name", FAULTS)
def test_it_does_not_publish(world: World, home: Home, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fault, words = FAULTS[name]
    fault(world, monkeypatch, home)
    lead = second_lead()
    for approve in (lambda _world: None, approve_by_hand):
        approve(world)
        reasons = by_service(world, lead)
        page, told = by_page(world, lead), by_problem(world, lead)
        by_api(world)
        nothing_was_published(world)
    assert any(words in one for one in reasons), reasons
    assert any(words in one for one in told["blockers"]), told
    assert words.replace("'", "&#x27;") in page


def test_the_same_candidate_without_a_fault_publishes(world: World) -> None:
    """Without it, the refusals above could be for any reason."""
    signed(world)
    assert post(world, second_lead(), "text/html").status_code == 302
    assert WorkItem.objects.filter(kind=PUBLISH).count() == 1


def test_a_lead_who_comes_second_is_told_and_starts_nothing(world: World) -> None:
    signed(world)
    assert post(world, second_lead(), "text/html").status_code == 302
    for accept in ("text/html", "application/json"):
        again = post(world, world.lead, accept)
        assert again.status_code == 409
        assert b"publishing" in again.content
    with pytest.raises(MhdsError):
        start_publish(world.candidate, world.lead, world.candidate.content_digest)
    assert WorkItem.objects.filter(kind=PUBLISH).count() == 1


@pytest.mark.parametrize("who", ["engineer", "clinician1", "bias1", "compliance1", "admin"])
def test_nobody_but_a_lead_publishes(world: World, who: str) -> None:
    signed(world)
    for accept, code in (("text/html", 403), ("application/json", 403)):
        assert post(world, world[who], accept).status_code == code
    nothing_was_published(world)


def test_a_lead_who_contributed_publishes_nothing_and_so_does_one_who_looked_at_other_bytes(world: World) -> None:
    signed(world)
    lead = second_lead()
    client = Client()
    client.force_login(lead)
    url = reverse("publish", kwargs={"version": world.candidate.release.version})
    for digest in ("", "sha256:" + "0" * 64):
        assert client.post(url, {"expected_digest": digest}).status_code == 409
    Contribution.objects.create(candidate=world.candidate, user=lead, how="catalog")
    assert post(world, lead, "text/html").status_code == 403
    nothing_was_published(world)


def test_a_gate_row_is_still_append_only_where_nobody_forged_it(world: World) -> None:
    """Keeps the forged faults honest: without dropping the trigger there is no way to them."""
    with pytest.raises(Exception, match="append-only"):
        GateResult.objects.filter(candidate=world.candidate).update(verdict="FAIL")
