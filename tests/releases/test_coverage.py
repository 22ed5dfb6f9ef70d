"""Coverage counts only what was proved, names the keys it counted and refused, and is inert in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client

from mhds.roles import Role
from releases import building, coverage, probing, services
from releases.catalog.parse import parse_catalog
from releases.coverage import MISSING, PARTIAL, PRESENT, FamilyTally, Seen
from tests.factories import EDGE, FOUNDATION, PRIORITY, VOICE, catalog_toml, conversations, jsonl, person, source_row

pytestmark = pytest.mark.build
CATALOG = parse_catalog(catalog_toml())
PRIORITY_FAMILY, VOICE_FAMILY = (CATALOG.family_by_id[name] for name in ("priority", "voice"))
RULE = '{ kind = "conversations", min_objects = 1'
PROFILE = jsonl([{"name": "Calm", "personality": {"warmth": 5}, "speaking_style": "slow"}])


def tally(*seen):
    found = FamilyTally()
    for one in seen:
        found.add(one)
    return found


def seen(key="k", **given):
    return Seen(key, 10, "p/", **given)


@pytest.mark.parametrize(
    ("family", "found", "status"),
    [
        (PRIORITY_FAMILY, [], MISSING),
        (PRIORITY_FAMILY, [seen(conversations=3)], PRESENT),
        (PRIORITY_FAMILY, [seen(refused="empty_object")], PARTIAL),
        (PRIORITY_FAMILY, [seen(personas=4)], PARTIAL),
        (VOICE_FAMILY, [seen(conversations=3)], PARTIAL),
        (VOICE_FAMILY, [seen(personas=1)], PARTIAL),
        (VOICE_FAMILY, [seen(personas=1), seen(conversations=1)], PRESENT),
        (VOICE_FAMILY, [seen(personas=1, conversations=1)], PRESENT),
        (VOICE_FAMILY, [seen(personas=1, conversations=1, refused="truncated")], PARTIAL),
    ],
)
def test_a_family_is_present_when_every_rule_holds(family, found, status):
    assert coverage.status(family, tally(*found)) == status


def test_a_family_without_a_rule_can_never_be_present():
    bare = parse_catalog(catalog_toml(replace=[(f"evidence = [{RULE} }}]", "evidence = []")]))
    assert coverage.status(bare.family_by_id["priority"], tally(seen(conversations=9))) == PARTIAL


def test_as_many_objects_are_asked_as_the_rule_says():
    two = parse_catalog(catalog_toml(replace=[(RULE, RULE.replace("1", "2"))]))
    family = two.family_by_id["priority"]
    assert coverage.status(family, tally(seen(conversations=900))) == PARTIAL
    assert coverage.status(family, tally(seen(conversations=1), seen(conversations=1))) == PRESENT


def test_the_matrix_names_prefixes_keys_and_reasons_even_where_nothing_lies():
    read, refused = Seen("a", 5, PRIORITY, conversations=2), Seen("b", 7, PRIORITY, refused="empty_object")
    found = coverage.matrix(CATALOG, coverage.tally([("priority", read), ("priority", refused)]), outside=3)
    rows = {row["id"]: row for row in found["families"]}
    assert rows["priority"]["counted"] == {"objects": 1, "keys": ["a"]}
    assert rows["priority"]["refused"]["keys"] == [{"key": "b", "reason": "empty_object"}]
    assert rows["priority"]["prefixes"][0] == {"prefix": PRIORITY, "objects": 2, "bytes": 12}
    assert [one["prefix"] for one in rows["voice"]["prefixes"]] == ["voice/", "pixel_voice/"]
    assert rows["voice"]["status"] == MISSING
    assert found["outside"] == 3


def test_many_keys_are_counted_and_only_the_first_are_listed():
    found = tally(*[seen(str(n), conversations=1) for n in range(70)], *[seen(str(n), refused="x") for n in range(70)])
    assert (found.counted, len(found.counted_keys)) == (70, coverage.KEYS_SHOWN)
    assert (found.refused["x"], len(found.refused_keys)) == (70, coverage.KEYS_SHOWN)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(start):
    prefix = f"{start}cmd|' /C calc'!A0/"
    matrix = coverage.matrix(CATALOG, {}, 0)
    matrix["families"][0]["prefixes"][0]["prefix"] = prefix
    rows = list(csv.DictReader(io.StringIO(coverage.as_csv(matrix), newline="")))
    assert rows[0]["prefix"] == f"'{prefix}"
    assert all(not str(value).startswith(tuple("=+-@\t\r\uff1d")) for row in rows for value in row.values())


def test_markdown_lists_what_was_counted_and_refused():
    found = coverage.tally([("priority", seen("a b", conversations=2)), ("priority", seen("z", refused="lfs_pointer"))])
    text = coverage.as_markdown(coverage.matrix(CATALOG, found, 0))
    assert "- `a b`" in text
    assert "- `z`: lfs_pointer" in text
    assert text.count("\n## ") == len(CATALOG.families)


@pytest.mark.parametrize("key", ["a|b", "a`b", "a\nb"])
def test_a_key_cannot_break_out_of_its_place_in_markdown(key):
    matrix = coverage.matrix(CATALOG, coverage.tally([("priority", seen(key, conversations=1))]), 0)
    matrix["families"][1]["prefixes"][0]["prefix"] = key
    table = [line for line in coverage.as_markdown(matrix).splitlines() if line.startswith("| ")]
    assert len(table) == 1 + sum(len(row["prefixes"]) for row in matrix["families"])
    assert {line.replace("\\|", "").count("|") for line in table} == {7}


def probed(home):
    return probing.probe_coverage(building.take_snapshot(None), services.current_catalog(), lambda key: key).coverage


def row_of(matrix, family):
    return next(row for row in matrix["families"] if row["id"] == family)


NO_EVIDENCE = {
    "README.md": b"# About\n\nA readme about conversations.\n",
    "stats.json": b'{"rows": 12, "mean": 3.5}',
    "empty.jsonl": b"",
    "pointer.jsonl": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n",
    "train.py": b"import torch\n\nprint('train')\n",
    "notebook.ipynb": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "a.jsonl.part": conversations("part", 2),
    "cut.json": b'[{"messages": [',
}


@pytest.mark.django_db
def test_only_data_is_evidence(home):
    home.use()
    home.put({PRIORITY + name: body for name, body in NO_EVIDENCE.items()})
    row = row_of(probed(home), "priority")
    assert row["status"] == PARTIAL
    assert row["counted"]["objects"] == 0
    assert {one["key"].removeprefix(PRIORITY) for one in row["refused"]["keys"]} == set(NO_EVIDENCE)
    assert all(one["reason"] for one in row["refused"]["keys"])


@pytest.mark.django_db
def test_odd_keys_are_found_by_prefix_and_not_by_folder(home):
    home.use()
    home.put(
        {
            f"{PRIORITY}a b/ünï 名.jsonl": conversations("1", 2),
            "gdrive/processed/priority_not/a.jsonl": conversations("2", 2),
            f"{VOICE}profile.jsonl": PROFILE,
            f"{VOICE}talk.jsonl": conversations("3", 2),
            f"{EDGE}profile.jsonl": PROFILE,
        }
    )
    matrix = probed(home)
    assert coverage.statuses(matrix) == {
        "professional_therapeutic": MISSING, "priority": PRESENT, "cot_reasoning": MISSING, "edge_cases": PARTIAL,
        "voice": PRESENT,
    }  # fmt: skip
    assert matrix["outside"] == 1
    assert row_of(matrix, "priority")["counted"]["keys"] == [f"{PRIORITY}a b/ünï 名.jsonl"]


@pytest.mark.django_db
def test_a_source_without_approval_proves_nothing(home):
    home.use(catalog_toml(source_row("priority", license_status="unclear")))
    home.put({f"{PRIORITY}a.jsonl": conversations("1", 2), f"{FOUNDATION}a.jsonl": conversations("2", 2)})
    matrix = probed(home)
    for family in ("priority", "professional_therapeutic"):
        assert row_of(matrix, family)["refused"]["reasons"] == {"source_not_approved": 1}
        assert row_of(matrix, family)["status"] == PARTIAL


@pytest.mark.django_db
def test_a_declared_join_without_its_questions_is_no_crash(home):
    home.use(catalog_toml(source_row("priority") + 'join = {on = "question_id", questions = "question.jsonl"}\n'))
    home.put({f"{PRIORITY}answer.jsonl": jsonl([{"question_id": 1, "answer_id": "m", "text": "I see."}])})
    assert row_of(probed(home), "priority")["status"] == PARTIAL


@pytest.mark.django_db
def test_the_matrix_of_an_inventory_is_served_in_each_form(filled):
    matrix = probed(filled)
    client = Client()
    client.force_login(person("lead", Role.LEAD))
    assert json.loads(client.get("/inventory.json").content) == matrix
    assert client.get("/inventory.csv").content.decode() == coverage.as_csv(matrix)
    markdown = client.get("/inventory.md")
    assert markdown.content.decode() == coverage.as_markdown(matrix)
    assert "attachment" in markdown.headers["Content-Disposition"]
    assert client.get("/inventory/").status_code == 200
