"""Verdicts as rows: bound, append-only, never overwritten; and what people may answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from gates import services, standing
from gates.models import Explanation, GateResult, Waiver
from gates.policy import current_policy
from gates.rules.base import Gate, conclude
from gates.rules.registry import GATES
from mhds.audit import broken_links
from mhds.client.canonical import decode_canonical
from mhds.errors import Conflict, InvalidInput, NotAllowed
from mhds.models import AuditEvent
from mhds.roles import Role
from mhds.triggers import missing_triggers
from releases.lifecycle import State
from releases.models import Candidate, Contribution, ExclusionDecision, SourceDecision
from tests.gates.factory import SCANNER, Row, rows, talk
from tests.gates.stored import FAMILIES, person, refuse, world

pytestmark = [pytest.mark.gates, pytest.mark.django_db]


@pytest.fixture
def here(tmp_path):
    """Everything is in order but that ``voice`` is missing."""
    return world(tmp_path)


@pytest.fixture
def whole(tmp_path):
    return world(tmp_path, families=FAMILIES)


@pytest.fixture
def lead():
    return person("lead", Role.LEAD)


@pytest.fixture
def compliance():
    return person("compliance", Role.COMPLIANCE)


@pytest.fixture
def engineer():
    return person("engineer", Role.ENGINEER)


def blockers(here):
    return services.blockers(here.candidate, scanner_digest=SCANNER)


def waive(here, lead, compliance, ids=("coverage.C001:voice",), days=30):
    asked = services.ask_waiver(lead, here.candidate, "coverage", list(ids), reason="No voice set yet.", days=days)
    return services.grant_waiver(compliance, asked)


def test_all_gates_pass_a_whole_candidate_and_nothing_is_in_the_way(whole):
    results = whole.run()
    assert {name: one.verdict for name, one in results.items()} == dict.fromkeys(current_policy().gates, "PASS")
    assert blockers(whole) == ()


def test_before_any_run_every_gate_of_the_policy_is_in_the_way(here):
    assert len(blockers(here)) == len(current_policy().gates)
    assert set(services.current_results(here.candidate, scanner_digest=SCANNER).values()) == {None}


def test_a_missing_family_is_the_only_blocker_and_says_what_to_do(here):
    here.run()
    (only,) = blockers(here)
    assert "voice" in only
    assert "waiver" in only


def test_the_report_is_a_canonical_test_result_statement_about_this_content(here):
    result = here.run()["coverage"]
    body = here.bucket.read_bytes(result.report_key)
    statement = decode_canonical(body, "report")
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["subject"][0]["digest"]["sha256"] == here.candidate.content_digest.removeprefix("sha256:")
    predicate = statement["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", ["coverage.C001"])
    assert {one["name"] for one in predicate["configuration"]} == {"code", "policy", "facts", "scanner", "inputs"}
    assert predicate["mhds"]["verdict"] == "FAIL"
    assert result.report_key == f"{here.candidate.staging}gates/{result.pk}/coverage.json"


def test_an_identical_rerun_gives_the_same_rows(here):
    first, second = here.run(), here.run()
    assert {one.pk for one in first.values()} == {one.pk for one in second.values()}
    assert GateResult.objects.count() == len(first)
    assert AuditEvent.objects.filter(action="gates.run").count() == 2
    assert list(broken_links()) == []


def test_f05_without_facts_gates_over_records_are_error(here):
    results = here.run(facts=None)
    assert results["privacy"].verdict == "ERROR"
    assert len(blockers(here)) == 7


def test_f15_a_result_about_other_content_is_outdated(whole):
    whole.run()
    Candidate.objects.filter(pk=whole.candidate.pk).update(content_digest="sha256:" + "0" * 64)
    whole.candidate.refresh_from_db()
    assert all("outdated" in one and "the content" in one for one in blockers(whole))


@pytest.mark.parametrize(("what", "words"), [("code", "the code of the gates"), ("policy", "the policy")])
def test_f18_f19_f20_new_code_or_policy_outdates_every_result(whole, monkeypatch, what, words):
    whole.run()
    if what == "code":
        monkeypatch.setattr(standing, "code_version", lambda: "sha256:" + "c" * 64)
    else:
        looser = replace(current_policy(), privacy=replace(current_policy().privacy, threshold_bp=9000))
        monkeypatch.setattr(standing, "current_policy", lambda: looser)
    assert len(blockers(whole)) == 8
    assert all(words in one for one in blockers(whole))


def test_f21_another_scanner_outdates_every_result(whole):
    whole.run()
    found = services.blockers(whole.candidate, scanner_digest="sha256:" + "6" * 64)
    assert len(found) == 8
    assert all("the scanner" in one for one in found)


def test_f12_a_gate_that_the_policy_adds_is_in_the_way_until_it_exists_and_passes(whole, monkeypatch):
    whole.run()
    more = replace(current_policy(), gates=(*current_policy().gates, "novel"))
    monkeypatch.setattr(standing, "current_policy", lambda: more)
    assert "the gate novel has not been run" in blockers(whole)


def test_the_code_version_follows_the_bytes_of_the_rules():
    assert standing.code_version().startswith("sha256:")
    assert set(standing.CODE) >= {"rules", "policy.py", "scan/clusters.py"}


def test_f22_a_conclusion_that_differs_on_identical_inputs_is_one_lasting_error(here, monkeypatch):
    failed = here.run()["coverage"]

    def lucky(inputs, _policy):
        return conclude("coverage", inputs, examined=5, expected=5, findings=[], figures={})

    true_gate = GATES["coverage"]
    monkeypatch.setitem(GATES, "coverage", Gate("coverage", "C", "Lucky", {}, lucky, needs_facts=False))
    second = here.run()["coverage"]
    assert (second.verdict, second.contradicts) == ("ERROR", failed)
    assert "non-deterministic" in second.findings[0]["message"]
    assert here.run()["coverage"] == second
    monkeypatch.setitem(GATES, "coverage", true_gate)
    assert here.run()["coverage"] == second
    assert here.standing()["coverage"].result == second
    failed.refresh_from_db()
    assert failed.verdict == "FAIL"


def test_f08_a_crash_does_not_conclude_and_a_rerun_may(whole, monkeypatch):
    def crash(_inputs, _policy):
        raise MemoryError("Jane Roe, 555-0100")

    true_gate = GATES["coverage"]
    monkeypatch.setitem(GATES, "coverage", Gate("coverage", "C", "Crashing", {}, crash, needs_facts=False))
    crashed = whole.run()["coverage"]
    assert (crashed.verdict, crashed.concluded) == ("ERROR", False)
    assert "Jane" not in json.dumps(crashed.findings)
    assert len(blockers(whole)) == 1
    monkeypatch.setitem(GATES, "coverage", true_gate)
    assert whole.run()["coverage"].verdict == "PASS"
    assert blockers(whole) == ()


def test_f07_two_sets_of_facts_about_the_same_content_mean_that_neither_counts(whole):
    whole.run()
    facts = whole.inputs.scanned
    more = replace(facts, records=pa.concat_tables([facts.records, facts.records.slice(0, 1)]))
    whole.run(facts=more)
    assert len(blockers(whole)) == 8
    assert "the facts" in blockers(whole)[0]


def test_unreadable_evidence_in_the_bucket_is_error_of_every_gate_and_not_an_exception(whole):
    whole.bucket.delete(whole.candidate.objects_key)
    results = whole.run()
    assert {one.verdict for one in results.values()} == {"ERROR"}
    assert not any(one.concluded for one in results.values())


def test_f17_a_config_changed_in_the_bucket_after_the_freeze_is_error(whole):
    key = f"{whole.candidate.staging}config/routing.json"
    whole.bucket.delete(key)
    whole.bucket.put_if_absent(key, b"{}")
    results = whole.run()
    assert (results["routing"].verdict, results["integrity"].verdict) == ("ERROR", "ERROR")


# --- the database refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "WARN"}, {"verdict": "PASS", "expected": 0, "examined": 0}, {"verdict": "PASS", "examined": 3},
        {"verdict": "PASS", "concluded": False},
    ],
)  # fmt: skip
def test_the_database_refuses_a_verdict_that_is_none_and_a_pass_that_is_not_whole(whole, changed):
    row = whole.run()["coverage"]
    given = {field.attname: getattr(row, field.attname) for field in GateResult._meta.fields if field.name != "id"}
    with pytest.raises(IntegrityError), transaction.atomic():
        GateResult.objects.create(**{**given, "inputs_digest": "sha256:" + "d" * 64, **changed})


def test_the_database_refuses_a_second_conclusion_on_the_same_binding(here):
    row = here.run()["coverage"]
    given = {field.attname: getattr(row, field.attname) for field in GateResult._meta.fields if field.name != "id"}
    with pytest.raises(IntegrityError), transaction.atomic():
        GateResult.objects.create(**given)


@pytest.mark.parametrize("verb", ["UPDATE gates_gateresult SET verdict = 'PASS'", "DELETE FROM gates_gateresult"])
def test_a_verdict_is_never_changed_or_deleted(here, verb):
    row = here.run()["coverage"]
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb)
    assert missing_triggers() == []


@pytest.mark.parametrize(
    "changed", [{"gate": "privacy"}, {"gate": "integrity"}, {"gate": "provenance"}, {"same": True}, {"reason": ""}]
)
def test_f34_the_database_refuses_a_waiver_that_may_not_be(lead, compliance, changed):
    now = timezone.now()
    given = {
        "content_digest": "sha256:" + "0" * 64, "gate": "coverage", "ids": ["coverage.C001"], "reason": "because",
        "expires_at": now + timedelta(days=1), "asked_by": lead, "asked_at": now, "granted_by": compliance,
        "granted_at": now,
    }  # fmt: skip
    if changed.pop("same", False):
        given["granted_by"] = lead
    with pytest.raises(IntegrityError), transaction.atomic():
        Waiver.objects.create(**{**given, **changed})


# --- waivers -------------------------------------------------------------------------------------------------------


def test_a_waiver_by_lead_and_compliance_opens_coverage_after_a_rerun(here, lead, compliance):
    here.run()
    waive(here, lead, compliance)
    assert any("outdated" in one for one in blockers(here))
    here.run()
    assert blockers(here) == ()
    assert services.waived_families(here.candidate, scanner_digest=SCANNER) == {"voice"}
    assert [one.action for one in AuditEvent.objects.filter(action__startswith="waiver")] == [
        "waiver.asked",
        "waiver.granted",
    ]


def test_f34_a_waiver_that_is_only_asked_for_opens_nothing(here, lead):
    here.run()
    services.ask_waiver(lead, here.candidate, "coverage", ["coverage.C001:voice"], reason="Soon.", days=30)
    here.run()
    assert len(blockers(here)) == 1


def test_f34_a_waiver_ends_when_it_expires(here, lead, compliance):
    here.run()
    waive(here, lead, compliance, days=1)
    here.run()
    assert blockers(here) == ()
    later = services.standing_results(here.candidate, scanner_digest=SCANNER, now=timezone.now() + timedelta(days=2))
    assert [one.gate for one in later.values() if not one.passed] == ["coverage"]


def test_f34_a_waiver_about_other_content_opens_nothing(here, lead, compliance):
    here.run()
    waiver = waive(here, lead, compliance)
    Waiver.objects.filter(pk=waiver.pk).update(content_digest="sha256:" + "0" * 64)
    here.run()
    assert len(blockers(here)) == 1


@pytest.mark.parametrize("ids", [["*"], ["coverage.*"], ["coverage"], ["coverage.C001:*"], ["leakage.L001"], [], [""]])
def test_f34_a_wildcard_or_foreign_id_is_refused(here, lead, ids):
    here.run()
    with pytest.raises(InvalidInput):
        services.ask_waiver(lead, here.candidate, "coverage", ids, reason="Soon.", days=30)


@pytest.mark.parametrize("gate", ["integrity", "provenance", "privacy", "novel"])
def test_f34_what_cannot_be_waived_is_refused(here, lead, gate):
    here.run()
    with pytest.raises(InvalidInput, match="cannot be waived"):
        services.ask_waiver(lead, here.candidate, gate, [f"{gate}.P001"], reason="Soon.", days=30)


def test_a_contributor_neither_asks_nor_grants(here, lead, compliance):
    here.run()
    asked = services.ask_waiver(lead, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)
    Contribution.objects.create(candidate=here.candidate, user=compliance, how="catalog")
    with pytest.raises(NotAllowed, match="contributed"):
        services.grant_waiver(compliance, asked)
    Contribution.objects.create(candidate=here.candidate, user=lead, how="built")
    with pytest.raises(NotAllowed, match="contributed"):
        services.ask_waiver(lead, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)


def test_a_waiver_is_void_once_one_of_the_two_has_contributed(here, lead, compliance):
    here.run()
    waive(here, lead, compliance)
    here.run()
    assert blockers(here) == ()
    Contribution.objects.create(candidate=here.candidate, user=lead, how="built")
    # What was concluded without the waiver is about these very inputs, and counts again.
    assert "voice is missing" in " ".join(blockers(here))


def test_one_person_in_both_roles_does_not_grant_what_they_asked(here):
    both = person("both", Role.LEAD, Role.COMPLIANCE)
    here.run()
    asked = services.ask_waiver(both, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)
    with pytest.raises(NotAllowed):
        services.grant_waiver(both, asked)


def test_a_waiver_is_granted_once(here, lead, compliance):
    here.run()
    waiver = waive(here, lead, compliance)
    with pytest.raises(Conflict):
        services.grant_waiver(compliance, waiver)


def test_roles_are_asked_for(here, lead, compliance, engineer):
    here.run()
    with pytest.raises(NotAllowed):
        services.ask_waiver(engineer, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)
    asked = services.ask_waiver(lead, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)
    for actor in (engineer, person("other lead", Role.LEAD), None):
        with pytest.raises(NotAllowed):
            services.grant_waiver(actor, asked)
    with pytest.raises(NotAllowed):
        services.decide_exclusion(lead, refuse(here), "Broken.")
    with pytest.raises(NotAllowed):
        services.decide_source(engineer, "voice", "approved", "Fine.")
    with pytest.raises(NotAllowed):
        here.run(actor=person("clinician", Role.CLINICIAN))
    with override_settings(EMBEDDED=False), pytest.raises(NotAllowed):
        here.run()


def test_a_refused_act_leaves_no_row_and_no_event(here, engineer):
    here.run()
    events = AuditEvent.objects.count()
    with pytest.raises(NotAllowed):
        services.ask_waiver(engineer, here.candidate, "coverage", ["coverage.C001"], reason="Soon.", days=30)
    assert (Waiver.objects.count(), AuditEvent.objects.count()) == (0, events)


# --- explanations, exclusions, sources -----------------------------------------------------------------------------


@pytest.fixture
def short(tmp_path):
    """``edge_cases`` has enough records to be judged, all too long for its range."""
    extra = [Row(talk(f"long {n}"), "edge_cases", "train", number=100 + n, changed={"tokens": 5000}) for n in range(20)]
    return world(tmp_path, given=[*rows(FAMILIES), *extra])


def test_a_lead_explains_each_figure_out_of_range_and_then_distribution_passes(short, lead):
    found = short.run()["distribution"]
    figures = sorted(one["subject"] for one in found.findings)
    assert figures == [f"edge_cases/train/{name}" for name in ("tokens_max", "tokens_mean", "turns_max")]
    for figure in figures:
        services.explain_figure(lead, short.candidate, figure, "Long transcripts, looked at one by one.")
    results = short.run()
    assert results["distribution"].verdict == "PASS"
    assert all(one["settled_by"].startswith("explanation:") for one in results["distribution"].findings)


def test_a_figure_that_nobody_questions_is_not_explained_and_only_a_lead_explains(short, lead, engineer):
    short.run()
    with pytest.raises(InvalidInput):
        services.explain_figure(lead, short.candidate, "edge_cases/train/turns_mean", "Because.")
    with pytest.raises(NotAllowed):
        services.explain_figure(engineer, short.candidate, "edge_cases/train/tokens_max", "Because.")
    with pytest.raises(InvalidInput):
        services.explain_figure(lead, short.candidate, "edge_cases/train/tokens_max", "  ")
    assert Explanation.objects.count() == 0


def test_an_exclusion_makes_its_engineer_a_contributor_and_outdates_the_results(whole, engineer):
    issue = refuse(whole)
    whole.run()
    services.decide_exclusion(engineer, issue, "Cut upload; the whole file is beside it.")
    decision = ExclusionDecision.objects.get()
    assert (decision.key, decision.etag, decision.reason) == (issue.key, issue.etag, issue.reason)
    assert Contribution.objects.filter(candidate=whole.candidate, user=engineer, how="exclusion").exists()
    assert AuditEvent.objects.filter(action="exclusion.decided").count() == 1
    assert len(blockers(whole)) == 8


def test_an_exclusion_needs_a_reason_and_is_not_for_sources(whole, engineer):
    with pytest.raises(InvalidInput):
        services.decide_exclusion(engineer, refuse(whole), " ")
    with pytest.raises(InvalidInput, match="compliance"):
        services.decide_exclusion(engineer, refuse(whole, reason="source_not_approved"), "Do not need it.")


def test_compliance_decides_about_the_very_row_of_the_catalog(whole, compliance):
    whole.run()
    decision = services.decide_source(compliance, "voice", "excluded", "Terms changed.")
    assert decision.row_digest == whole.inputs.catalog.source_by_id["voice"].digest
    assert whole.run()["provenance"].verdict == "FAIL"
    services.decide_source(compliance, "voice", "approved", "Terms were clarified.")
    assert whole.run()["provenance"].verdict == "PASS"
    assert SourceDecision.objects.count() == AuditEvent.objects.filter(action="source.decided").count() == 2


@pytest.mark.parametrize(("source_id", "kind"), [("nowhere", "approved"), ("voice", "maybe")])
def test_a_decision_about_no_source_or_of_no_kind_is_refused(whole, compliance, source_id, kind):
    with pytest.raises(InvalidInput):
        services.decide_source(compliance, source_id, kind, "Because.")


# --- releases before -----------------------------------------------------------------------------------------------


def test_the_next_release_is_held_against_the_one_published_before(tmp_path):
    first = world(tmp_path, families=FAMILIES, version="v2026-01-07")
    first.run()
    assert blockers(first) == ()
    Candidate.objects.filter(pk=first.candidate.pk).update(state=State.PUBLISHED)
    moved = [replace(row, split="train" if row.split == "test" else row.split) for row in rows(FAMILIES)]
    spare = [Row(talk(f"spare {n}"), "priority", "test", number=50 + n) for n in range(2)]
    second = world(tmp_path, given=[*moved, *spare], version="v2026-01-08")
    leakage = second.run()["leakage"]
    assert (leakage.verdict, leakage.figures["against_earlier_releases"]) == ("FAIL", 5)
    assert {one["rule"] for one in leakage.findings} == {"leakage.L004", "leakage.L005"}


def test_a_published_release_whose_verdicts_are_gone_is_doubt(tmp_path):
    first = world(tmp_path, families=FAMILIES, version="v2026-01-07")
    Candidate.objects.filter(pk=first.candidate.pk).update(state=State.PUBLISHED)
    second = world(tmp_path, families=FAMILIES, version="v2026-01-08")
    results = second.run()
    assert results["leakage"].verdict == "ERROR"
    assert "earlier releases" in results["leakage"].findings[0]["message"]
