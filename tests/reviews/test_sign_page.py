"""The page of a signature through a plain client: who gets the form, what a press does, what every refusal keeps."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gates.services import run_gates
from mhds import throttle
from mhds.models import AuditEvent, User
from mhds.roles import Role
from releases.lifecycle import State
from releases.models import Contribution
from releases.publishing.services import publish_now
from reviews import closing, population, signing
from reviews.models import Seat, Signature, SignatureWithdrawal
from reviews.plans import RoundKind
from reviews.standing import standing, statement_of
from reviews.states import Decision, Meaning
from reviews.verdicts import Verdict
from tests.factories import PASSWORD, person
from tests.reviews import factory
from tests.reviews.factory import World, sign_all

pytestmark = pytest.mark.review
CLINICIAN, BIAS, LEAD = Meaning.CLINICIAN, Meaning.BIAS_REVIEWER, Meaning.LEAD
CAPACITY = {CLINICIAN: "As clinician", BIAS: "As bias reviewer", LEAD: "As release lead"}
WHO = {CLINICIAN: "clinician1", BIAS: "bias1", LEAD: "lead"}
HIDDEN = re.compile(r'<input type="hidden"\s+name="(expected_digest|expected_statement|seen)"\s+value="([^"]*)"')
FORM = 'name="decision"'
JSON = {"Accept": "application/json"}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(world: World, meaning: Meaning) -> str:
    return reverse("sign", args=[world.candidate.release.version, meaning.value])


def get(world: World, who: str, meaning: Meaning) -> HttpResponse:
    answer: HttpResponse = client_of(world[who]).get(address(world, meaning))
    return answer


def text(response: HttpResponse) -> str:
    return html.unescape(response.content.decode())


def filled(page: HttpResponse, meaning: Meaning, **typed: str) -> dict[str, str]:
    """The form as a browser would send it."""
    hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(page.content.decode())}
    return {**hidden, "decision": "signed", "capacity": CAPACITY[meaning], "password": PASSWORD, **typed}


def press(
    world: World, who: str, meaning: Meaning, *, headers: dict[str, str] | None = None, **typed: str
) -> HttpResponse:
    client = client_of(world[who])
    page = client.get(address(world, meaning))
    answer: HttpResponse = client.post(address(world, meaning), filled(page, meaning, **typed), headers=headers or {})
    return answer


def test_three_people_sign_through_the_page_and_the_candidate_is_approved(signoff: World) -> None:
    for meaning, who in WHO.items():
        page = get(signoff, who, meaning)
        assert statement_of(signoff.candidate).splitlines()[0] in text(page)
        assert f"Sign as {meaning.value.replace('_', ' ')} {signoff.candidate.release.version}" in text(page)
        answer = press(signoff, who, meaning)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{address(signoff, meaning)}?candidate=1")
    assert signoff.refresh().state == State.APPROVED
    after = text(get(signoff, "lead", LEAD))
    assert "You signed as lead" in after
    assert "3 of 3 signatures current" in after
    assert FORM not in after


def test_nothing_is_chosen_before_the_signer_chooses(signoff: World) -> None:
    page = get(signoff, "clinician1", CLINICIAN).content.decode()
    assert FORM in page
    assert " checked" not in page
    assert " selected" not in page


def test_the_digest_stands_in_full_and_in_blocks(signoff: World) -> None:
    page = text(get(signoff, "clinician1", CLINICIAN))
    body = signoff.candidate.content_digest.removeprefix("sha256:")
    assert f"<b>{body[:4]} {body[4:8]}</b>" in page
    assert " ".join(body[start : start + 4] for start in range(8, 64, 4)) in page
    assert f'data-copy="{signoff.candidate.content_digest}"' in page


def test_exceptions_are_signed_word_for_word_with_their_own_choice(signoff: World) -> None:
    refused = press(signoff, "bias1", BIAS, decision="excepted")
    assert refused.status_code == 422
    assert "Write the exceptions" in text(refused)
    assert press(signoff, "bias1", BIAS, exceptions="<b>one</b> odd reply").status_code == 422
    assert not Signature.objects.exists()
    assert press(signoff, "bias1", BIAS, decision="excepted", exceptions="<b>one</b> odd reply").status_code == 302
    made = Signature.objects.get()
    assert (made.decision, made.exceptions, made.capacity) == ("signed", "<b>one</b> odd reply", "As bias reviewer")
    assert b"&lt;b&gt;one&lt;/b&gt; odd reply" in get(signoff, "lead", BIAS).content


def test_a_decline_needs_its_reason_and_is_kept_shown_and_anothers_obstacle(signoff: World) -> None:
    refused = press(signoff, "clinician1", CLINICIAN, decision="declined")
    assert (refused.status_code, Signature.objects.count()) == (422, 0)
    assert "Say in the notes why you decline." in text(refused)
    assert press(signoff, "clinician1", CLINICIAN, decision="declined", notes="two replies worry me").status_code == 302
    assert Signature.objects.get().decision == Decision.DECLINED
    for who in ("clinician2", "engineer"):
        page = text(get(signoff, who, CLINICIAN))
        assert FORM not in page
        assert "clinician1 declined to sign as clinician" in page
        assert "two replies worry me" in page
        assert "Who can sign as clinician: clinician1." in page


@pytest.mark.parametrize(
    ("who", "meaning", "why"),
    [
        ("engineer", LEAD, "needs the role release lead"),
        ("clinician1", BIAS, "needs the role bias reviewer"),
        ("compliance1", CLINICIAN, "needs the role clinician"),
        ("lead", CLINICIAN, "needs the role clinician"),
    ],
)
def test_another_role_reads_the_page_without_its_form_and_is_refused(
    signoff: World, who: str, meaning: Meaning, why: str
) -> None:
    page = get(signoff, who, meaning)
    assert page.status_code == 200
    assert FORM not in text(page)
    assert why in text(page)
    assert f"Who can sign as {meaning.value.replace('_', ' ')}: {WHO[meaning]}" in text(page)
    made = _forced(signoff, who, meaning)
    assert (made.status_code, Signature.objects.count()) == (403, 0)


def _forced(world: World, who: str, meaning: Meaning, **headers: str) -> HttpResponse:
    """A press by somebody who was shown no form, with what another's page held."""
    page = get(world, WHO[meaning], meaning)
    posted = filled(page, meaning)
    posted.setdefault("expected_digest", world.candidate.content_digest)
    answer: HttpResponse = client_of(world[who]).post(address(world, meaning), posted, headers=headers)
    return answer


def test_a_contributor_sees_why_and_is_refused(signoff: World) -> None:
    Contribution.objects.create(candidate=signoff.candidate, user=signoff.lead, how="policy")
    page = text(get(signoff, "lead", LEAD))
    assert "you contributed to this candidate (policy)" in page
    assert "You changed its policy" in page
    assert "Nobody here can sign as lead" in page
    assert FORM not in page
    assert _forced(signoff, "lead", LEAD).status_code == 403
    assert not Signature.objects.exists()


def test_nobody_signs_in_a_second_meaning(signoff: World) -> None:
    signoff.people["both"] = person("both", Role.CLINICIAN, Role.LEAD, **factory.CLINICIAN)
    assert press(signoff, "both", CLINICIAN).status_code == 302
    page = text(get(signoff, "both", LEAD))
    assert "you have signed this candidate in another meaning" in page
    assert "Who can sign as lead: lead." in page
    assert _forced(signoff, "both", LEAD).status_code == 403
    assert Signature.objects.count() == 1


def test_a_wrong_password_keeps_everything_typed_but_the_password(signoff: World) -> None:
    answer = press(
        signoff,
        "clinician1",
        CLINICIAN,
        decision="excepted",
        exceptions="a long one",
        notes="thought",
        password="guess-17",
    )
    page = answer.content.decode()
    assert (answer.status_code, Signature.objects.count()) == (403, 0)
    assert "guess-17" not in page
    assert "a long one</textarea>" in page
    assert "thought</textarea>" in page
    assert re.search(r'value="excepted"[^>]*checked', page)
    assert re.search(r'value="As clinician"[^>]*selected', page)
    assert re.search(r'id="password"[^>]*aria-invalid="true"[^>]*autofocus', page)
    assert page.count("autofocus") == 1


def test_guesses_are_slowed_on_the_page_too(signoff: World) -> None:
    for _guess in range(throttle.LIMIT):
        assert press(signoff, "lead", LEAD, password="guess").status_code == 403
    answer = press(signoff, "lead", LEAD, notes="kept")
    assert answer.status_code == 429
    assert "Too many failed attempts." in text(answer)
    assert "kept</textarea>" in text(answer)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("decision", "Choose what you mean by signing."),
        ("capacity", "Choose in what capacity you sign."),
        ("password", "Type your password"),
    ],
)
def test_a_missing_field_is_asked_for_where_it_is(signoff: World, missing: str, words: str) -> None:
    answer = press(signoff, "lead", LEAD, notes="kept", **{missing: ""})
    page = text(answer)
    assert answer.status_code == 422
    assert f'id="e-{missing}"' in page
    assert words in page
    assert "kept</textarea>" in page
    assert not Signature.objects.exists()


def test_a_stale_digest_signs_nothing(signoff: World) -> None:
    answer = press(signoff, "lead", LEAD, expected_digest="sha256:" + "0" * 64, notes="kept")
    assert (answer.status_code, Signature.objects.count()) == (409, 0)
    assert "the content differs" in text(answer)
    assert "kept</textarea>" in text(answer)
    assert press(signoff, "lead", LEAD, expected_digest="").status_code == 409
    assert press(signoff, "lead", LEAD, expected_statement="sha256:" + "0" * 64).status_code == 409
    assert press(signoff, "lead", LEAD, seen="tampered").status_code == 422
    assert not Signature.objects.exists()


def test_evidence_that_changed_between_look_and_press_signs_nothing_and_is_named(
    signoff: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(signoff.lead)
    posted = filled(client.get(address(signoff, LEAD)), LEAD)
    monkeypatch.setattr("reviews.models.Round.rubric_digest_now", "sha256:" + "0" * 64)
    answer = client.post(address(signoff, LEAD), posted)
    assert answer.status_code == 409
    assert "the rubric of round privacy" in text(answer)
    wrong = client.post(address(signoff, LEAD), {**posted, "password": "guess"})
    assert wrong.status_code == 409
    assert "has changed since the page was opened" in text(wrong)
    assert not Signature.objects.exists()


def test_a_round_opened_again_meanwhile_signs_nothing_and_keeps_what_was_typed(signoff: World) -> None:
    client = client_of(signoff["clinician1"])
    posted = filled(client.get(address(signoff, CLINICIAN)), CLINICIAN, notes="half an hour of thought")
    closing.reopen_round(signoff.round(RoundKind.PRIVACY), actor=signoff.lead, reason="a doubt")
    answer = client.post(address(signoff, CLINICIAN), posted)
    page = text(answer)
    assert (answer.status_code, Signature.objects.count()) == (409, 0)
    assert "the round privacy is scoring, not evaluated" in page
    assert "half an hour of thought" in page
    assert FORM not in page


def test_before_any_round_the_page_lists_what_is_missing(world: World) -> None:
    page = text(get(world, "clinician1", CLINICIAN))
    assert "Nobody can sign yet: 4 things are missing." in page
    assert "the round clinician edge is not opened" in page
    assert FORM not in page


def test_a_failed_round_leaves_nothing_to_sign(world: World) -> None:
    factory.start(world)
    for kind in list(RoundKind)[:3]:
        factory.pass_round(world, kind)
    round_ = world.round(RoundKind.PRIVACY)
    factory.score_all(round_, payload=factory.bad(round_.rubric))
    assert closing.close_round(round_, actor=world.lead).verdict == Verdict.FAIL
    world.refresh()
    page = text(get(world, "clinician1", CLINICIAN))
    assert "the round privacy failed" in page
    assert "Nobody signs this candidate any more: it is rejected." in page
    assert FORM not in page
    made = client_of(world["clinician1"]).post(
        address(world, CLINICIAN),
        {"decision": "signed", "capacity": "As clinician", "password": PASSWORD,
         "expected_digest": world.candidate.content_digest},
    )  # fmt: skip
    assert (made.status_code, Signature.objects.count()) == (409, 0)


def test_a_signature_is_outdated_by_what_changed_and_may_be_given_again(
    signoff: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_all(signoff)
    monkeypatch.setattr("reviews.models.Round.rubric_digest_now", "sha256:" + "0" * 64)
    page = text(get(signoff, "engineer", LEAD))
    assert "by the rubric of round bias foundation and the rubric" in page
    assert page.count("pill--outdated") >= 3
    assert "0 of 3 signatures current" in page


def test_an_outdated_signature_gives_way_to_a_new_one_and_stays_on_record(
    signoff: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_all(signoff)
    monkeypatch.setattr("gates.standing.code_version", lambda: "sha256:" + "9" * 64)
    monkeypatch.setattr("gates.services.code_version", lambda: "sha256:" + "9" * 64)
    run_gates(signoff.candidate, population.load(signoff.candidate), actor=signoff.lead)
    assert "the gate privacy" in text(get(signoff, "clinician2", CLINICIAN))
    assert press(signoff, "clinician2", CLINICIAN).status_code == 302
    page = text(get(signoff, "engineer", CLINICIAN))
    assert "clinician2 signed as clinician" in page
    assert "replaced" in page
    assert signoff.refresh().state == State.IN_SIGNOFF


def test_a_signature_is_withdrawn_by_its_signer_with_reason_and_password(signoff: World) -> None:
    made = sign_all(signoff)[0]
    url = reverse("withdraw-signature", args=[signoff.candidate.release.version, made.pk])
    assert url in text(get(signoff, "clinician1", CLINICIAN))
    assert url not in text(get(signoff, "clinician2", CLINICIAN))
    mine = client_of(signoff["clinician1"])
    for given, status in (({"reason": "", "password": PASSWORD}, 422), ({"reason": "a doubt", "password": "x"}, 403)):
        answer = mine.post(url, given)
        assert answer.status_code == status
        assert not SignatureWithdrawal.objects.exists()
    assert 'value="a doubt"' in text(answer)
    assert "The password is not right." in text(answer)
    other = client_of(signoff["clinician2"]).post(url, {"reason": "not mine", "password": PASSWORD})
    assert other.status_code == 403
    assert mine.post(url, {"reason": "a doubt", "password": PASSWORD}).status_code == 302
    assert signoff.refresh().state == State.IN_SIGNOFF
    page = text(get(signoff, "clinician1", CLINICIAN))
    assert "All 3 signatures given to this candidate" in page
    assert "a doubt" in page
    assert FORM in page
    assert mine.post(url, {"reason": "twice", "password": PASSWORD}).status_code == 409


def test_a_published_release_is_not_signed_any_more_and_a_signer_can_still_withdraw(signoff: World) -> None:
    made = sign_all(signoff)[0]
    candidate = signoff.refresh()
    publish_now(candidate, signoff.lead, candidate.content_digest)
    page = text(get(signoff, "clinician1", CLINICIAN))
    assert "The release stays published until somebody withdraws it" in page
    url = reverse("withdraw-signature", args=[candidate.release.version, made.pk])
    asked = client_of(signoff["clinician1"]).post(url, {"reason": "I was mistaken", "password": PASSWORD})
    assert asked.status_code == 302
    after = text(get(signoff, "clinician2", CLINICIAN))
    assert "Nobody signs this candidate any more: it is published." in after
    assert "Who can sign" not in after
    assert FORM not in after


@pytest.mark.parametrize(("who", "status", "code"), [("engineer", 403, "not-allowed"), ("clinician1", 409, "blocked")])
def test_a_program_gets_problem_details(signoff: World, who: str, status: int, code: str) -> None:
    page = get(signoff, "clinician1", CLINICIAN)
    posted = filled(page, CLINICIAN)
    posted.pop("seen")
    Contribution.objects.create(candidate=signoff.candidate, user=signoff["compliance1"], how="exclusion")
    answer = client_of(signoff[who]).post(address(signoff, CLINICIAN), posted, headers=JSON)
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if status == 409:
        assert any("the round privacy has other scores" in one for one in body["blockers"])
    assert not Signature.objects.exists()


def test_a_program_is_told_what_is_missing_and_what_is_stale(signoff: World) -> None:
    assert press(signoff, "lead", LEAD, headers=JSON, capacity="").status_code == 422
    stale = press(signoff, "lead", LEAD, headers=JSON, expected_digest="sha256:" + "0" * 64)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")


def test_refusals_are_audited_once(signoff: World) -> None:
    _forced(signoff, "engineer", LEAD)
    press(signoff, "lead", LEAD, password="guess")
    asked = AuditEvent.objects.filter(action__in=["review.refused", "signature.refused", "refused.act"])
    assert [(one.action, one.actor) for one in asked.order_by("seq")] == [
        ("review.refused", signoff["engineer"]), ("signature.refused", signoff.lead),
    ]  # fmt: skip


def test_times_are_the_readers_own(signoff: World) -> None:
    made = sign_all(signoff)[0]
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        User.objects.filter(pk=signoff["engineer"].pk).update(time_zone=zone)
        with timezone.override(zone):
            wanted = timezone.localtime(made.signed_at).strftime("%H:%M")
        assert wanted in text(get(signoff, "engineer", CLINICIAN))


def test_the_panel_alone_is_a_fragment_with_the_link_for_whom_it_is(signoff: World) -> None:
    panel = client_of(signoff["bias1"]).get(address(signoff, LEAD), headers={"HX-Request": "true"})
    body = text(panel)
    assert "<html" not in body
    assert body.count("not signed") == 3
    assert 'aria-label="Sign as bias reviewer"' in body
    assert 'aria-label="Read as clinician"' in body


def test_the_difference_to_the_last_signed_content_is_shown(signoff: World, home: Any) -> None:
    assert "the first content that anyone signs" in text(get(signoff, "lead", LEAD))
    sign_all(signoff)
    before = signoff.candidate
    factory.fill_source(home.source, extra=3)
    again = factory.pass_all(World(factory.build(signoff["engineer"], before.release.version), signoff.people))
    page = text(get(again, "lead", LEAD))
    assert f"{before.records_out} records then, {again.candidate.records_out} now" in page
    assert before.content_digest in page


def test_what_cannot_be_kept_is_refused_before_anything_is_signed(signoff: World) -> None:
    long = press(signoff, "lead", LEAD, notes="x" * (signing.WORDS + 1))
    assert long.status_code == 422
    assert press(signoff, "lead", LEAD, notes="a\0b").status_code == 422
    assert press(signoff, "lead", LEAD, capacity="As king").status_code == 422
    assert not Signature.objects.exists()
    assert not Seat.objects.exists()
    assert standing(signoff.candidate)[LEAD].signature is None
