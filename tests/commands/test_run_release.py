"""``run_release``: its JSON is a contract, broken inputs are reported and never crash, and no text leaves the store."""

from __future__ import annotations

import gzip
import json

import pytest
from django.core.management import call_command

from gates.decisions import decide_exclusions
from gates.standing import standing_results
from mhds import workflow
from mhds.models import AuditEvent
from mhds.roles import Role
from releases import services, stores
from releases.lifecycle import State
from releases.models import Candidate, ObjectIssue, Snapshot
from tests.factories import (
    EDGE,
    FOUNDATION,
    PRIORITY,
    VERSION,
    catalog_toml,
    conversation,
    conversations,
    jsonl,
    person,
    source_row,
    tree,
)

pytestmark = [pytest.mark.build, pytest.mark.django_db]

FIELDS = {
    "version", "content_digest", "coverage", "objects", "records_in", "records_out", "records_excluded", "exclusions",
    "gates", "seconds",
}  # fmt: skip
STATUSES = {"read", "not_conversation", "refused", "outside"}
STEPS = {"inventory", "coverage", "build", "scan", "gates"}
GATES = {"coverage", "integrity", "provenance", "privacy", "duplicates", "leakage", "distribution", "routing"}


@pytest.fixture
def release(capsys):
    """Runs the command in this process: (exit code, the one JSON object on standard output)."""

    def run(*argv, version=VERSION):
        capsys.readouterr()
        code = 0
        try:
            call_command("run_release", version, "--json", *argv)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out = capsys.readouterr().out
        lines = out.splitlines()
        assert len(lines) <= 1
        return code, json.loads(lines[0]) if lines else None

    return run


def accounted(found, listed):
    assert set(found["objects"]) == STATUSES
    assert sum(found["objects"].values()) == listed
    assert found["records_in"] == found["records_out"] + found["records_excluded"]
    assert sum(found["exclusions"].values()) == found["records_excluded"]


def test_a_whole_run_says_all_of_the_contract(filled, release):
    code, found = release()
    assert code == 0, "whatever the verdicts"
    assert set(found) == FIELDS
    assert found["version"] == VERSION
    assert found["content_digest"].startswith("sha256:")
    assert len(found["content_digest"]) == 71
    assert found["coverage"] == {
        "professional_therapeutic": "present", "priority": "present", "cot_reasoning": "missing",
        "edge_cases": "present", "voice": "partial",
    }  # fmt: skip
    assert found["objects"] == {"read": 4, "not_conversation": 0, "refused": 0, "outside": 1}
    accounted(found, 5)
    assert (found["records_in"], found["records_out"]) == (40, 40)
    assert set(found["gates"]) == GATES
    assert all(set(gate) == {"verdict", "examined", "expected"} for gate in found["gates"].values())
    verdicts = {name: gate["verdict"] for name, gate in found["gates"].items()}
    assert verdicts.pop("coverage") == "FAIL"
    assert set(verdicts.values()) == {"PASS"}
    assert found["gates"]["privacy"] == {"verdict": "PASS", "examined": 40, "expected": 40}
    assert set(found["seconds"]) == STEPS
    assert all(isinstance(value, float) for value in found["seconds"].values())


def test_until_build_freezes_and_judges_nothing(filled, release):
    code, found = release("--until", "build")
    assert code == 0
    assert set(found) == FIELDS
    assert found["gates"] == {}
    assert found["content_digest"].startswith("sha256:")
    accounted(found, 5)
    assert (found["seconds"]["scan"], found["seconds"]["gates"]) == (0.0, 0.0)
    assert Candidate.objects.get().state == State.BUILDING


def test_until_inventory_makes_no_candidate_and_accounts_for_every_key(filled, release):
    filled.put({f"{PRIORITY}README.md": b"# About\n", f"{PRIORITY}0.jsonl": b"", f"{PRIORITY}z.jsonl": b""})
    code, found = release("--until", "inventory")
    assert code == 0
    assert set(found) == FIELDS
    assert found["content_digest"] is None
    assert found["gates"] == found["exclusions"] == {}
    accounted(found, 8)
    assert found["objects"]["outside"] == 1
    assert found["objects"]["refused"] == 1, "what was looked at before the family was proved"
    assert found["coverage"]["priority"] == "present"
    assert not Candidate.objects.exists()
    assert Snapshot.objects.count() == 1


def test_until_inventory_and_a_build_agree_on_what_lies_where(filled, release):
    _code, before = release("--until", "inventory")
    _code, after = release("--until", "build")
    assert before["coverage"] == after["coverage"]
    assert before["objects"]["outside"] == after["objects"]["outside"]


def test_the_same_version_again_goes_on_with_the_candidate_of_the_same_digest(filled, release):
    _code, first = release()
    _code, second = release()
    assert second["content_digest"] == first["content_digest"]
    assert second["gates"] == first["gates"]
    one, two = Candidate.objects.order_by("number")
    assert (two.state, two.same_as) == (State.ABANDONED, one)
    assert one.state == State.BLOCKED


def test_other_bytes_under_the_same_version_are_a_new_candidate(filled, release):
    _code, first = release("--until", "build")
    filled.put({f"{PRIORITY}more.jsonl": conversations("more", 3)})
    _code, second = release("--until", "build")
    assert second["content_digest"] != first["content_digest"]
    assert second["records_out"] == first["records_out"] + 3
    assert list(Candidate.objects.order_by("number").values_list("number", "same_as")) == [(1, None), (2, None)]


@pytest.mark.parametrize("version", ["2026-01-07", "v2026-13-01", "v2026-01-07.1", "latest"])
def test_what_is_no_version_is_wrong_usage(home, release, version):
    assert release(version=version) == (2, None)


def test_somebody_who_is_not_there_is_wrong_usage(filled, release):
    assert release("--actor", "nobody@example.org") == (2, None)


def test_an_actor_is_required_unless_embedded(filled, release, settings):
    settings.EMBEDDED = False
    assert release() == (2, None)
    assert not Snapshot.objects.exists()


def test_the_actor_is_the_contributor(filled, release, settings):
    settings.EMBEDDED = False
    engineer = person("engineer", Role.ENGINEER)
    code, _found = release("--actor", engineer.email.upper())
    assert code == 0
    candidate = Candidate.objects.get()
    assert candidate.built_by == engineer
    assert list(candidate.contributions.values_list("user", "how")) == [(engineer.pk, "built")]
    assert AuditEvent.objects.filter(action="gates.run", actor=engineer).exists()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ENGINEER])
def test_an_actor_of_another_role_is_refused_at_the_first_step(filled, release, role):
    code, found = release("--actor", person("other", role).email)
    assert code == 1
    assert (found["error"]["step"], found["error"]["code"]) == ("inventory", "not-allowed")


def test_a_source_folder_that_is_missing_fails_the_inventory_and_says_where(filled, release, settings):
    settings.MHDS_SOURCE_URL = (filled.root / "nowhere").as_uri()
    code, found = release()
    assert code == 1
    assert set(found) == {"error"}
    assert set(found["error"]) == {"step", "code", "message"}
    assert found["error"]["step"] == "inventory"
    assert found["error"]["message"]


def test_a_version_that_is_published_fails_the_build(filled, release):
    release("--until", "build")
    Candidate.objects.update(state=State.PUBLISHED)
    code, found = release()
    assert (code, found["error"]["step"], found["error"]["code"]) == (1, "build", "conflict")


def test_an_empty_installation_takes_the_shipped_catalog(home, release):
    home.put({f"{PRIORITY}a.jsonl": conversations("1")})
    code, found = release("--until", "build")
    assert code == 0
    assert found["objects"] == {"read": 0, "not_conversation": 0, "refused": 1, "outside": 0}
    assert services.current_version().toml == services.DEFAULT_CATALOG.read_text(encoding="utf-8")


def test_a_source_that_holds_nothing_passes_no_gate(home, release):
    home.use()
    code, found = release()
    assert code == 0
    accounted(found, 0)
    assert "PASS" not in {gate["verdict"] for name, gate in found["gates"].items() if gate["expected"] == 0}
    assert found["gates"]["coverage"]["verdict"] == "FAIL"
    assert Candidate.objects.get().state == State.BLOCKED


BROKEN = {
    f"{PRIORITY}cut.jsonl.gz": (gzip.compress(conversations("cut", 200))[:-30], "truncated"),
    f"{PRIORITY}invalid.json": (b'[{"messages": [}', "invalid_json"),
    f"{PRIORITY}empty.jsonl": (b"", "empty_object"),
    f"{EDGE}pointer.jsonl": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"b" * 64 + b"\nsize 99\n",
        "lfs_pointer",
    ),
}
BAD_RECORD = f"{FOUNDATION}bad line.jsonl"


def test_broken_inputs_are_reported_by_key_and_reason_and_wait_for_a_decision(filled, release):
    filled.put({key: body for key, (body, _reason) in BROKEN.items()})
    filled.put({BAD_RECORD: conversations("good", 3) + b"{broken\n", "nobody/a.jsonl": conversations("x", 2)})
    code, found = release()
    assert code == 0
    accounted(found, 5 + len(BROKEN) + 2)
    assert found["objects"]["refused"] == len(BROKEN)
    assert found["objects"]["outside"] == 2
    assert found["exclusions"] == {"bad_record": 1}
    assert found["gates"]["integrity"]["verdict"] == "FAIL"
    candidate = Candidate.objects.get()
    issues = {issue.key: issue.reason for issue in candidate.issues.all()}
    assert issues == {key: reason for key, (_body, reason) in BROKEN.items()} | {BAD_RECORD: "bad_record"}
    findings = standing_results(candidate)["integrity"].result.findings
    assert {one["subject"].removesuffix(":bad_record") for one in findings} == set(issues)

    engineer = person("engineer", Role.ENGINEER)
    decide_exclusions(engineer, candidate, ObjectIssue.objects.filter(candidate=candidate), "not ours to mend")
    facts = workflow.scan(candidate)
    verdicts = {one.gate: one.verdict for one in workflow.judge(candidate, facts, engineer)}
    assert verdicts["integrity"] == "PASS"
    assert candidate.contributions.filter(user=engineer).exists()


def test_a_decision_is_about_the_very_bytes(filled, release):
    """The broken file is replaced by another broken one: somebody must look again."""
    filled.put({f"{PRIORITY}empty.jsonl": b""})
    release()
    decide_exclusions(person("engineer", Role.ENGINEER), Candidate.objects.get(), ObjectIssue.objects.all(), "so")
    filled.put({f"{PRIORITY}empty.jsonl": b"[{"})
    _code, found = release()
    assert found["gates"]["integrity"]["verdict"] == "FAIL"


def test_a_source_without_approval_fails_provenance_and_not_integrity(home, release):
    home.use(catalog_toml(source_row("priority"), source_row("edge_cases", license_status="pending")))
    home.put({f"{PRIORITY}a.jsonl": conversations("1"), f"{EDGE}a.jsonl": conversations("2")})
    _code, found = release()
    assert found["objects"] == {"read": 1, "not_conversation": 0, "refused": 1, "outside": 0}
    assert found["records_in"] == 12
    assert found["gates"]["provenance"]["verdict"] == "FAIL"
    assert found["gates"]["integrity"]["verdict"] == "PASS"


def test_the_source_is_as_it_was_afterwards(filled, release):
    before = tree(filled.source)
    release()
    assert tree(filled.source) == before


CANARY = "zyzzyva"


def test_no_word_of_a_conversation_is_logged_or_stored_in_the_database(filled, release, caplog, tmp_path):
    """Good records, records that cannot ship, broken ones, and an identifier: each holds the canary."""
    said = conversation("x")["messages"][0]["content"]
    talk = {
        "messages": [
            {"role": "user", "content": f"{said} {CANARY}"},
            {"role": "assistant", "content": f"{CANARY} {said}"},
        ]
    }
    strange = {"messages": [{"role": CANARY, "content": CANARY}, {"role": "assistant", "content": CANARY}]}
    prompt = {"prompt": f"{CANARY} asks"}
    mail = {"messages": [{"role": "user", "content": f"{said} Write to {CANARY}@example.com."}, talk["messages"][1]]}
    filled.put(
        {
            f"{PRIORITY}1.jsonl": jsonl([talk, strange, prompt, mail]) + f'{{"messages": "{CANARY}\n'.encode(),
            f"{PRIORITY}2.json": f'[{{"messages": [{{"content": "{CANARY}'.encode(),
            f"{PRIORITY}3.csv": f'"{CANARY}","{CANARY}"\n"{CANARY}'.encode(),
            f"{PRIORITY}4.jsonl": f'{{"{CANARY}": "'.encode() + b"\xff\xfe\n",
        }
    )
    with caplog.at_level("DEBUG"):
        code, found = release()
    assert code == 0
    assert found["records_excluded"] > 0
    assert CANARY not in caplog.text
    assert CANARY not in json.dumps(found)
    call_command("dumpdata", "mhds", "releases", "gates", "reviews", output=str(tmp_path / "dump.json"), verbosity=0)
    assert CANARY not in (tmp_path / "dump.json").read_text(encoding="utf-8")
    bucket = tree(filled.bucket)
    assert any(CANARY.encode() in body for body in bucket.values()), "it ships where it may"
    for key, body in bucket.items():
        if "/data/" not in key:
            plain = gzip.decompress(body) if key.endswith(".gz") else body
            assert CANARY.encode() not in plain, key
    assert f"{CANARY}@example.com".encode() not in b"".join(bucket.values())


@pytest.mark.parametrize("until", ["inventory", "gates"])
def test_a_key_that_names_a_person_is_shown_and_stored_by_its_alias_alone(filled, release, caplog, tmp_path, until):
    name = "jane.roe@example.com"
    filled.put({f"{PRIORITY}{name}/0.jsonl": conversations("jane", 3), f"{EDGE}0 {name}/0.jsonl": b""})
    with caplog.at_level("DEBUG"):
        code, found = release("--until", until)
    assert code == 0
    call_command("dumpdata", "mhds", "releases", "gates", "reviews", output=str(tmp_path / "dump.json"), verbosity=0)
    stored = (tmp_path / "dump.json").read_text(encoding="utf-8")
    assert "k_" in stored
    assert name not in stored + caplog.text + json.dumps(found)


def test_nothing_is_left_in_the_work_folder(filled, release):
    release("--until", "build")
    assert list((filled.root / "work").iterdir()) == []


def test_another_data_folder_gives_the_same_digest(filled, release, settings, tmp_path):
    _code, first = release("--until", "build")
    settings.DATA_DIR = tmp_path / "another folder"
    settings.MHDS_BUCKET_URL = (tmp_path / "another folder" / "bucket").as_uri()
    stores._open.cache_clear()
    _code, second = release("--until", "build", version="v2026-01-07.2")
    assert first["records_out"] == second["records_out"]
    routing = [path for path in tree(tmp_path) if path.endswith("routing.json")]
    assert len(routing) == 2
    one, two = (Candidate.objects.get(release__version=name) for name in (VERSION, "v2026-01-07.2"))
    hashes = [{file["path"]: file["sha256"] for file in each.files if file["role"] != "config"} for each in (one, two)]
    assert hashes[0] == hashes[1], "only the config files name the version"
