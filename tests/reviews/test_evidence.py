"""What reviews say to the outside: evidence, blindness, reports for the release, and a draw that anybody recomputes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from mhds.audit import broken_links
from mhds.client.canonical import decode_canonical
from mhds.errors import Conflict
from mhds.models import User
from mhds.triggers import missing_triggers
from releases import evidence, stores
from releases.build.record import decode_record
from releases.models import Contribution
from releases.publishing import attachments as places
from reviews import closing, drawing, judging, population, records, sampling, scoring
from reviews.models import Assignment, Draft, Draw, Item, Round, Score
from reviews.plans import RoundKind
from reviews.states import Meaning
from tests.reviews import factory
from tests.reviews.factory import KINDS, World

pytestmark = pytest.mark.review
FOUNDATION, EDGE, BIAS, PRIVACY = KINDS


def missing(world: World) -> dict[str, tuple[str, ...]]:
    return {one.name: one.missing for one in evidence.collect(world.candidate)}


def test_both_collectors_are_registered_and_name_everything_that_is_missing(world: World) -> None:
    found = missing(world)
    assert found["rounds"] == tuple(f"the round {kind.value.replace('_', ' ')} is not opened" for kind in RoundKind)
    assert found["signatures"] == tuple(
        f"the signature of the {who} is missing" for who in ("clinician", "bias reviewer", "lead")
    )


def test_the_evidence_follows_a_round_on_its_way(world: World) -> None:
    factory.open_all(world)
    assert missing(world)["rounds"][1] == "the round clinician edge is planned, not evaluated"
    factory.start(world, EDGE)
    assert missing(world)["rounds"][1] == "the round clinician edge is scoring, not evaluated"
    one = factory.waiting(world.round(EDGE))[0]
    factory.submit(one, factory.bad(world.round(EDGE).rubric))
    factory.pass_round(world, EDGE)
    assert missing(world)["rounds"][1].startswith("the round clinician edge is inconclusive: 1 record is split")


def test_a_passed_candidate_lacks_only_its_signatures(signoff: World) -> None:
    assert missing(signoff)["rounds"] == ()
    factory.sign_all(signoff)
    signoff.refresh()
    assert all(
        not words for name, words in missing(signoff).items() if name in ("frozen", "gates", "rounds", "signatures")
    )


@pytest.mark.parametrize("what", ["plan", "content", "contributor"])
def test_a_verdict_counts_only_for_what_it_was_computed_from(signoff: World, what: str) -> None:
    round_ = signoff.round(PRIVACY)
    if what == "plan":
        Round.objects.filter(pk=round_.pk).update(plan_data={**round_.plan_data, "limit_bp": 900})
    elif what == "content":
        Round.objects.filter(pk=round_.pk).update(content_digest="sha256:" + "0" * 64)
    else:
        scorer = Assignment.objects.filter(item__round=round_).first().reviewer
        Contribution.objects.create(candidate=signoff.candidate, user=scorer, how="policy")
    assert any(words.startswith("the round privacy") for words in missing(signoff)["rounds"])


def test_scores_verdicts_and_draws_cannot_be_changed_in_the_database(signoff: World) -> None:
    assert missing_triggers() == []
    for table in ("draw", "score", "evaluation"):
        for sql in (f"DELETE FROM reviews_{table}", f"UPDATE reviews_{table} SET id = id"):
            with (
                pytest.raises(IntegrityError, match="append-only"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(sql)
    assert list(broken_links()) == []


# --- blindness --------------------------------------------------------------------------------------------------


def seen_by(user: User, world: World) -> str:
    """Everything that a person's queries give about an open round."""
    round_ = world.round(BIAS)
    shown: dict[str, Any] = {
        name: list(rows.visible_to(user).filter(**{where: round_}).order_by("pk").values())
        for name, rows, where in (
            ("scores", Score.objects, "assignment__item__round"),
            ("drafts", Draft.objects, "assignment__item__round"),
            ("assignments", Assignment.objects, "item__round"),
            ("rounds", Round.objects, "candidate__rounds"),
        )
    }
    shown["queue"] = [str(one.pk) for one in scoring.upcoming(user, round_, 99)]
    shown["progress"] = scoring.my_progress(user, round_)
    shown["work"] = [one.kind for one in Round.objects.with_work_for(user)]
    return factory.as_json(shown)


@pytest.mark.parametrize("who", ["bias2", "bias3", "clinician1", "lead", "compliance1", "engineer", "admin"])
def test_two_worlds_look_the_same_to_everybody_else_whatever_one_reviewer_does(world: World, who: str) -> None:
    factory.start(world, BIAS)
    before = seen_by(world[who], world)
    first, second, *rest = factory.waiting(world.round(BIAS), world["bias1"])
    factory.submit(first, factory.bad(world.round(BIAS).rubric))
    scoring.undo(world["bias1"], first)
    scoring.save_draft(world["bias1"], second, {"note": "odd"}, expected_version=0)
    scoring.flag(world["bias1"], second, on=True)
    for one in rest:
        factory.submit(one)
    assert seen_by(world[who], world) == before
    assert Score.objects.visible_to(world["bias1"]).count() == 1 + len(rest)


def test_an_open_round_tells_the_lead_how_many_and_nothing_more(world: World) -> None:
    factory.start(world, BIAS)
    factory.submit(factory.waiting(world.round(BIAS))[0])
    assert scoring.round_progress(world.round(BIAS)) == (1, 16)
    for ask in (judging.item_verdicts, judging.facts_of, records.round_report):
        with pytest.raises(Conflict):
            ask(world.round(BIAS))
    assert list(records.score_lines(world.candidate)) == []


def test_a_closed_round_may_be_read_by_those_who_work_on_releases_and_drafts_by_nobody_else(signoff: World) -> None:
    count = Score.objects.count()
    for who in ("lead", "compliance1", "clinician1", "bias1"):
        assert Score.objects.visible_to(signoff[who]).count() == count
    for who in ("engineer", "admin"):
        assert Score.objects.visible_to(signoff[who]).count() == 0
    assert not Draft.objects.visible_to(signoff.lead).exists()


def test_an_engineer_without_a_hand_in_it_reads_closed_scores(signoff: World) -> None:
    other = factory.person("other", factory.Role.ENGINEER)
    assert Score.objects.visible_to(other).count() == Score.objects.count()


def test_reopening_makes_a_round_blind_again(signoff: World) -> None:
    closing.reopen_round(signoff.round(BIAS), actor=signoff.lead, reason="a doubt")
    assert not Score.objects.visible_to(signoff.lead).filter(assignment__item__round__kind=BIAS).exists()


def test_each_reviewer_has_an_order_of_their_own(world: World) -> None:
    factory.start(world, PRIVACY)
    orders = [
        [one.item.ordinal for one in scoring.upcoming(world[f"compliance{number}"], world.round(PRIVACY), 99)]
        for number in (1, 2, 3)
    ]
    assert all(order != sorted(order) for order in orders)


# --- what goes into the release ---------------------------------------------------------------------------------


def test_the_release_gets_its_reports_in_canonical_bytes_without_a_word_of_text(signoff: World) -> None:
    factory.sign_all(signoff)
    signoff.refresh()
    files = records.release_files(signoff.candidate)
    assert sorted(files) == sorted(
        [*(f"reviews/{kind.value}.json" for kind in RoundKind), "reviews/scores.jsonl", "signoff/record.json"]
    )
    assert files == records.release_files(signoff.candidate)
    for path, body in files.items():
        for line in body.splitlines() if path.endswith("l") else [body]:
            decode_canonical(line, path)
    words = [one.content for item in Item.objects.all() for one in text_of(signoff, item)]
    everything = b"".join(files.values()).decode()
    assert not any(text[:30] in everything for text in words)


def text_of(world: World, item: Item) -> Any:
    key = world.candidate.staging + item.shard
    return decode_record(stores.bucket().read_range(key, item.offset, item.length)).conversation()


def test_the_sign_off_record_names_reviewers_samples_rubrics_exceptions_and_digests(signoff: World) -> None:
    factory.sign(signoff, "clinician1", Meaning.CLINICIAN, exceptions="one odd reply")
    record = records.signoff_record(signoff.candidate)
    assert record["content_digest"] == signoff.candidate.content_digest
    assert {one["round"]: one["sample"] for one in record["rounds"]} == {
        FOUNDATION: 8, EDGE: 5, BIAS: 8, PRIVACY: 17,
    }  # fmt: skip
    assert all(one["rubric"]["digest"].startswith("sha256:") and one["plan"] == "pilot" for one in record["rounds"])
    assert {one["licence"] for one in record["reviewers"] if "clinician" in one["roles"]} == {"L-1"}
    [signed] = record["signatures"]
    assert (signed["exceptions"], signed["current"], record["current"]) == ("one odd reply", True, False)
    assert sum(sum(one["scored"].values()) for one in record["reviewers"]) == 2 * (8 + 5 + 8 + 17)


def test_the_publisher_finds_the_reviews_part_in_its_places(signoff: World) -> None:
    factory.sign_all(signoff)
    signoff.refresh()
    found = {
        one.path: one.role for name in ("reviews", "signoff") for one in places.ATTACHMENTS[name](signoff.candidate)
    }
    assert found["signoff/record.json"] == "signoff"
    assert found["reviews/privacy.json"] == "review"
    signed = [one for signed_ in places.SIGNATURES.values() for one in signed_(signoff.candidate)]
    assert sorted(one.role for one in signed) == ["bias_reviewer", "clinician", "release_lead"]


def test_a_round_report_lets_a_stranger_redraw_the_sample(signoff: World) -> None:
    report = records.round_report(signoff.round(EDGE))
    [drawn] = report["draws"]
    facts = population.records(population.load(signoff.candidate), report["families"])
    again = sampling.draw(bytes.fromhex(drawn["nonce"]), ((one.record_id, one.content_hash) for one in facts), 59)
    assert again == [one["record_id"] for one in drawn["drawn"]]


# --- verify_draw ------------------------------------------------------------------------------------------------


def verify_draw(world: World, capsys: pytest.CaptureFixture[str], kind: RoundKind = EDGE) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("verify_draw", world.candidate.release.version, kind.value, "--json", stdout=io.StringIO())
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, json.loads(capsys.readouterr().out)


def test_verify_draw_recomputes_every_draw(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_draw(world, capsys)[0] == 1
    factory.open_all(world)
    assert verify_draw(world, capsys)[1]["error"]["code"] == "not-found"
    drawing.draw(world.round(EDGE), actor=world.lead)
    drawing.draw(world.round(EDGE), actor=world.lead, reason="to show it")
    code, said = verify_draw(world, capsys)
    assert (code, said["verified"], [one["attempt"] for one in said["draws"]]) == (0, True, [1, 2])


@pytest.mark.parametrize("what", ["nonce", "record", "item", "early"])
def test_verify_draw_ends_with_1_and_the_first_difference(
    world: World, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    factory.open_all(world)
    drawing.draw(world.round(EDGE), actor=world.lead)
    stored = world.round(EDGE).draw
    assert stored is not None
    forge(world, stored, what)
    code, said = verify_draw(world, capsys)
    assert (code, said["error"]["code"]) == (1, "draw-differs")


def forge(world: World, stored: Draw, what: str) -> None:
    """What somebody with the database in their hands could do."""
    with connection.cursor() as cursor:
        on_sqlite = connection.vendor == "sqlite"
        name = "reviews_draw_no_update" if on_sqlite else "reviews_draw_append_only ON reviews_draw"
        cursor.execute(f"DROP TRIGGER {name}")
    if what == "nonce":
        Draw.objects.filter(pk=stored.pk).update(nonce="0" * 64)
    elif what == "record":
        Draw.objects.filter(pk=stored.pk).update(drawn=[*stored.drawn[1:], stored.drawn[0]])
    elif what == "early":
        Draw.objects.filter(pk=stored.pk).update(at=world.candidate.frozen_at)
    else:
        Item.objects.filter(draw=stored, ordinal=1).update(content_hash="sha256:" + "0" * 64)
