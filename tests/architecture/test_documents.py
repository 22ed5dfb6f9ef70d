"""What a person is told about the product is there: every gate, every setting, every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gates.policy import current_policy
from gates.rules.registry import GATES, rules_of
from mhds.settings import PRODUCTION_NEEDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
)

pytestmark = pytest.mark.build


def test_the_policy_asks_for_every_gate_that_there_is():
    assert set(current_policy().gates) == set(GATES)


@pytest.mark.parametrize("gate", sorted(GATES))
def test_a_gate_is_documented_and_each_of_its_rules_says_what_it_asks(gate):
    assert re.search(rf"\b{gate}\b", DOCUMENTS)
    rules = rules_of(GATES[gate])
    assert rules
    for rule, words in rules.items():
        assert re.fullmatch(rf"{gate}\.[A-Z]\d{{3}}", rule)
        assert len(words.split()) >= 3


@pytest.mark.parametrize("name", sorted(PRODUCTION_NEEDS))
def test_what_production_needs_is_in_the_readme(name):
    assert f"`{name}" in README


def test_no_decision_on_record_lacks_its_status():
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert decisions
    for path in decisions:
        assert re.search(r"^Status: \w+", path.read_text(encoding="utf-8"), re.MULTILINE), path.name
