"""Object keys that hold an identifier are known as such, and ordinary keys are left as they are."""

from __future__ import annotations

import pytest

from gates import engine
from gates.scan.keys import readable

pytestmark = pytest.mark.gates

NAMING = [
    "gdrive/processed/priority/jane.doe@example.org.jsonl",
    "jane.doe@example.org.jsonl.gz",
    "x/jane_doe@example.org.csv",
    "x/mail-jane@clinic.co.uk.parquet",
    "x/jane.doe@my-clinic.org-2020.jsonl",
    "x/jane.doe@example.org-2020.jsonl",
    "x/jane%40example.org.jsonl",
    "x/jane\uff20example.org.jsonl",  # a full-width sign
    "x/a@b/jane.doe@example.org.json",
    "x/jane.doe@example.org/part-00000.jsonl",
    "x/jane.doe@example.org",
]
ORDINARY = [
    "gdrive/processed/priority/a.jsonl",
    "gdrive/processed/professional_therapeutic/part-00001.jsonl.zst",
    "voice/persona profile (final).csv",
    "a//b/odd key.tar.gz",
    "priority/model@v2.jsonl",
    "priority/train@2024-01-01.jsonl",
    "priority/data@1.5b.jsonl",
    "priority/user@host.jsonl",
    "priority/@scope/chunk.json",
    "priority/a@.jsonl",
    "priority/100%.jsonl",
    "datasets/wiki.org.jsonl",
]


@pytest.mark.parametrize("key", NAMING)
def test_an_address_in_a_key_is_found_whatever_follows_it(key):
    assert engine.identifies(key)


@pytest.mark.parametrize("key", ORDINARY)
def test_an_ordinary_key_stays_as_it_is(key):
    assert not engine.identifies(key)


def test_a_key_without_an_address_is_read_once():
    assert readable("priority/a_b.jsonl") == "priority a b.jsonl"


def test_an_address_is_shown_with_every_end_that_its_host_may_have():
    assert readable("x/a@b-c.org.gz").split("\n") == ["x a@b-c.org.gz", "a@b", "a@b-c", "a@b-c.org"]
