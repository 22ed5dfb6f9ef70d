"""Signing: three people, three meanings, one digest, asked who they are each time; and what takes it all back."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from gates.services import run_gates
from mhds import throttle
from mhds.errors import Blocked, Conflict, InvalidInput, NotAllowed, Stale
from mhds.models import AuditEvent
from mhds.roles import Role
from releases import evidence
from releases.lifecycle import State
from releases.models import Channel, Contribution
from releases.publishing.services import publish_now
from reviews import closing, population, signing
from reviews.models import Seat, Signature, SignatureWithdrawal
from reviews.plans import RoundKind
from reviews.standing import signing_view, standing
from reviews.states import Decision, Meaning
from tests.conftest import Home
from tests.factories import PASSWORD, person
from tests.reviews import factory
from tests.reviews.factory import World, sign, sign_all

pytestmark = pytest.mark.review
CLINICIAN, BIAS, LEAD = Meaning.CLINICIAN, Meaning.BIAS_REVIEWER, Meaning.LEAD


def test_the_third_current_signature_approves_the_candidate(signoff: World) -> None:
    sign(signoff, "clinician1", CLINICIAN)
    sign(signoff, "bias1", BIAS)
    assert signoff.refresh().state == State.IN_SIGNOFF
    assert [one.words for one in standing(signoff.candidate).values()][-1] == "the signature of the lead is missing"
    sign(signoff, "lead", LEAD)
    assert signoff.refresh().state == State.APPROVED
    assert all(one.current for one in standing(signoff.candidate).values())


def test_a_signature_keeps_the_sentence_the_evidence_and_the_credentials(signoff: World) -> None:
    view = signing_view(signoff.candidate)
    assert (view.blockers, view.previous_digest) == ((), "")
    made = sign(signoff, "clinician1", CLINICIAN, exceptions="one odd record", expected_statement=view.statement_digest)
    assert made.statement == view.statement
    assert made.statement.startswith("clinician_foundation: All 8 conversations of families")
    assert "were not reviewed" not in made.statement
    assert "No clinician and no bias reviewer reviewed families cot_reasoning" in made.statement
    assert (made.credentials["licence"], made.exceptions) == ("L-1", "one odd record")
    assert set(made.evidence["rounds"]) == {kind.value for kind in RoundKind}
    event = AuditEvent.objects.get(action="signature.signed")
    assert event.data["digest"] == signing.signature_digest(made)


@pytest.mark.parametrize(
    ("who", "meaning"),
    [("engineer", CLINICIAN), ("lead", CLINICIAN), ("clinician1", BIAS), ("bias1", LEAD), ("compliance1", LEAD),
     ("admin", LEAD)],
)  # fmt: skip
def test_each_meaning_is_for_its_role(signoff: World, who: str, meaning: Meaning) -> None:
    with pytest.raises(NotAllowed):
        sign(signoff, who, meaning)
    assert signing.may_sign(signoff[who], signoff.candidate, meaning)
    assert AuditEvent.objects.filter(action="review.refused", actor=signoff[who]).count() == 1
    assert not Signature.objects.exists()


@pytest.mark.parametrize("how", ["built", "catalog", "exclusion", "policy"])
def test_a_contributor_signs_nothing_whatever_role_they_hold_now(signoff: World, how: str) -> None:
    Contribution.objects.create(candidate=signoff.candidate, user=signoff["clinician1"], how=how)
    with pytest.raises(NotAllowed, match="contributed"):
        sign(signoff, "clinician1", CLINICIAN)
    engineer = signoff["engineer"]
    engineer.groups.set([])
    engineer.groups.add(signoff["clinician1"].groups.get())
    with pytest.raises(NotAllowed, match="contributed"):
        sign(signoff, "engineer", CLINICIAN)


def test_nobody_signs_twice_also_not_with_two_roles_or_after_withdrawing(signoff: World) -> None:
    both = person("both", Role.CLINICIAN, Role.LEAD, **factory.CLINICIAN)
    signoff.people["both"] = both
    made = sign(signoff, "both", CLINICIAN)
    with pytest.raises(NotAllowed, match="two meanings"):
        sign(signoff, "both", LEAD)
    with pytest.raises(Conflict, match="signed as clinician already"):
        sign(signoff, "clinician1", CLINICIAN)
    signing.withdraw_signature(both, made, password=PASSWORD, reason="a second thought")
    with pytest.raises(NotAllowed, match="two meanings"):
        sign(signoff, "both", LEAD)


def test_the_database_seats_nobody_twice_and_changes_no_signature(signoff: World) -> None:
    made = sign(signoff, "clinician1", CLINICIAN)
    other = sign(signoff, "bias1", BIAS)
    Seat.objects.filter(signature=other).delete()
    for meaning, holder in ((LEAD, made.signer), (CLINICIAN, signoff.lead)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Seat.objects.create(
                candidate=signoff.candidate, content_digest=made.content_digest, meaning=meaning, holder=holder,
                signature=other,
            )  # fmt: skip
    for sql in ("UPDATE reviews_signature SET meaning = 'lead'", "DELETE FROM reviews_signature"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.filter(pk=made.pk).update(notes="another")


def test_a_session_alone_signs_nothing_and_guessing_is_slowed(signoff: World) -> None:
    for _guess in range(throttle.LIMIT):
        with pytest.raises(NotAllowed, match="password"):
            sign(signoff, "clinician1", CLINICIAN, password="guess")
    with pytest.raises(throttle.TooManyAttempts):
        sign(signoff, "clinician1", CLINICIAN)
    assert AuditEvent.objects.filter(action="signature.refused").count() == throttle.LIMIT
    assert not Signature.objects.exists()


def test_a_deactivated_person_signs_nothing_and_past_signatures_stay(signoff: World) -> None:
    sign(signoff, "bias1", BIAS)
    for who in ("bias1", "clinician1"):
        signoff[who].is_active = False
        signoff[who].save()
    with pytest.raises(NotAllowed):
        sign(signoff, "clinician1", CLINICIAN)
    assert standing(signoff.candidate)[BIAS].current


def test_another_digest_or_another_sentence_than_the_one_seen_is_stale(signoff: World) -> None:
    for given in ({"expected_digest": ""}, {"expected_digest": "sha256:" + "0" * 64}, {"expected_statement": "x"}):
        with pytest.raises(Stale):
            sign(signoff, "clinician1", CLINICIAN, **given)
    assert not Signature.objects.exists()


def test_nothing_is_chosen_for_the_signer(signoff: World) -> None:
    for given in ({"capacity": " "}, {"decision": "maybe"}, {"decision": Decision.DECLINED}):
        with pytest.raises(InvalidInput):
            sign(signoff, "clinician1", CLINICIAN, **given)
    with pytest.raises(InvalidInput):
        sign(signoff, "clinician1", "compliance")


def test_nobody_signs_before_the_rounds_are_in_order(world: World) -> None:
    with pytest.raises(Conflict, match="in review"):
        sign(world, "clinician1", CLINICIAN)
    assert signing_view(world.candidate).statement == ""
    assert len(signing_view(world.candidate).blockers) == 4


def test_a_round_whose_scores_no_longer_hold_blocks_signing(signoff: World) -> None:
    Contribution.objects.create(candidate=signoff.candidate, user=signoff["compliance1"], how="exclusion")
    with pytest.raises(Blocked) as caught:
        sign(signoff, "clinician1", CLINICIAN)
    assert "the round privacy has other scores than were judged" in caught.value.blockers[0]


def test_a_refusal_is_signed_kept_and_stands_in_the_way_until_its_signer_withdraws_it(signoff: World) -> None:
    declined = sign(signoff, "clinician1", CLINICIAN, decision=Decision.DECLINED, notes="two replies worry me")
    assert standing(signoff.candidate)[CLINICIAN].words == "clinician1 declined to sign as clinician"
    with pytest.raises(Conflict, match="declined"):
        sign(signoff, "clinician2", CLINICIAN)
    with pytest.raises(NotAllowed):
        signing.withdraw_signature(signoff.lead, declined, password=PASSWORD, reason="in a hurry")
    signing.withdraw_signature(signoff["clinician1"], declined, password=PASSWORD, reason="settled")
    sign_all(World(signoff.candidate, {**signoff.people, "clinician1": signoff["clinician2"]}))
    assert signoff.refresh().state == State.APPROVED
    assert Signature.objects.count() == 4


def test_a_withdrawn_signature_takes_the_approval_back(signoff: World) -> None:
    first, _second, _third = sign_all(signoff)
    with pytest.raises(NotAllowed, match="password"):
        signing.withdraw_signature(signoff["clinician1"], first, password="wrong", reason="doubt")
    signing.withdraw_signature(signoff["clinician1"], first, password=PASSWORD, reason="doubt")
    assert signoff.refresh().state == State.IN_SIGNOFF
    assert standing(signoff.candidate)[CLINICIAN].words == "the signature of the clinician is missing"
    with pytest.raises(Conflict):
        signing.withdraw_signature(signoff["clinician1"], first, password=PASSWORD, reason="again")
    assert SignatureWithdrawal.objects.count() == 1
    sign(signoff, "clinician2", CLINICIAN)
    assert signoff.refresh().state == State.APPROVED


def test_a_signer_who_contributes_later_outdates_their_signature(signoff: World) -> None:
    sign_all(signoff)
    Contribution.objects.create(candidate=signoff.candidate, user=signoff.lead, how="policy")
    found = standing(signoff.candidate)[LEAD]
    assert (found.current, found.outdated_by) == (False, ("the signer's hand in the candidate",))
    assert {one.name: one.missing for one in evidence.collect(signoff.candidate)}["signatures"] == (found.words,)


def test_outdated_signatures_give_way_to_new_ones(signoff: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """New code of the gates judges the same bytes again: what was signed rested on other reports."""
    sign_all(signoff)
    monkeypatch.setattr("gates.standing.code_version", lambda: "sha256:" + "9" * 64)
    monkeypatch.setattr("gates.services.code_version", lambda: "sha256:" + "9" * 64)
    with pytest.raises(Conflict, match="all three"):
        sign(signoff, "clinician2", CLINICIAN)
    run_gates(signoff.candidate, population.load(signoff.candidate), actor=signoff.lead)
    assert "the gate privacy" in standing(signoff.candidate)[CLINICIAN].outdated_by
    sign(signoff, "clinician2", CLINICIAN)
    assert signoff.refresh().state == State.IN_SIGNOFF
    sign(signoff, "bias1", BIAS)
    sign(signoff, "lead", LEAD)
    assert signoff.refresh().state == State.APPROVED
    assert Signature.objects.count() == 6


def test_signatures_are_outdated_by_a_round_that_was_opened_again(signoff: World) -> None:
    sign_all(signoff)
    signoff.refresh()
    round_ = signoff.round(RoundKind.BIAS_FOUNDATION)
    closing.reopen_round(round_, actor=signoff.lead, reason="a doubt")
    assert signoff.refresh().state == State.IN_REVIEW
    outdated = standing(signoff.candidate)[CLINICIAN]
    assert "the verdict of round bias foundation" in outdated.outdated_by
    assert outdated.words.startswith("the signature of the clinician is outdated")
    assert signing_view(signoff.candidate).statement == ""


def test_a_rubric_whose_text_changed_outdates_rounds_and_signatures(
    signoff: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_all(signoff)
    signoff.refresh()
    monkeypatch.setattr("reviews.models.Round.rubric_digest_now", "sha256:" + "0" * 64)
    assert "the rubric of round privacy" in standing(signoff.candidate)[LEAD].outdated_by
    found = {one.name: one.missing for one in evidence.collect(signoff.candidate)}
    assert any("rubric whose text changed" in words for words in found["rounds"])


def test_a_rebuilt_release_starts_without_any_signature(signoff: World, home: Home) -> None:
    sign_all(signoff)
    factory.fill_source(home.source, extra=1)
    rebuilt = factory.build(signoff["engineer"], signoff.candidate.release.version)
    assert (rebuilt.number, rebuilt.state) == (2, State.IN_REVIEW)
    assert rebuilt.content_digest != signoff.candidate.content_digest
    assert all(one.signature is None for one in standing(rebuilt).values())
    again = World(rebuilt, signoff.people)
    factory.pass_all(again)
    with pytest.raises(Stale):
        sign(again, "clinician1", CLINICIAN, expected_digest=signoff.candidate.content_digest)
    assert signing_view(again.candidate).previous_digest == signoff.candidate.content_digest


def test_a_signer_takes_their_name_back_from_a_published_release_and_its_channel_says_so(signoff: World) -> None:
    signatures = sign_all(signoff)
    candidate = signoff.refresh()
    publish_now(candidate, signoff.lead, candidate.content_digest)
    assert Channel.objects.get(name="latest").signoff_current
    signing.withdraw_signature(signatures[0].signer, signatures[0], password=PASSWORD, reason="I was mistaken.")
    assert not Channel.objects.get(name="latest").signoff_current
    assert signoff.refresh().state == State.PUBLISHED
