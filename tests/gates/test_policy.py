"""The policy is read strictly: unknown, missing, empty or doubled is refused (rows F-13, F-14 of the matrix)."""

from __future__ import annotations

import pytest

from gates.policy import SHIPPED, current_policy, parse_policy
from gates.rules.registry import GATES
from mhds.client.model import GATES as MANIFEST_GATES
from mhds.errors import ConfigurationError

pytestmark = pytest.mark.gates
TEXT = SHIPPED.read_text(encoding="utf-8")
LIST = TEXT.partition("gates = ")[2].partition("\n")[0]


def test_the_shipped_policy_asks_for_every_gate_that_is_installed_and_the_manifest_names():
    assert current_policy().gates == tuple(GATES) == MANIFEST_GATES


def test_the_digest_follows_the_values_and_not_the_comments():
    shipped = current_policy().digest
    assert parse_policy(TEXT + "\n# a remark\n").digest == shipped
    assert parse_policy(TEXT.replace("share_bp = 10 ", "share_bp = 11 ")).digest != shipped


def test_the_ranges_are_those_of_the_domain():
    ranges = current_policy().distribution.ranges
    assert ranges["professional_therapeutic"].tokens_mean == (50, 500)
    assert ranges["voice"].turns_max == (1, 15)
    assert "priority" not in ranges


@pytest.mark.parametrize(
    ("old", "new", "about"),
    [
        (LIST, "[]", "gates"),
        (LIST, '["privacy", "privacy"]', "twice"),
        (LIST, '"privacy"', "gates"),
        (LIST, '[""]', "gates"),
        ("threshold_bp = 4000", "threshold_bp = nan", "threshold_bp"),
        ("threshold_bp = 4000", "threshold_bp = 0.4", "threshold_bp"),
        ("threshold_bp = 4000", "threshold_bp = true", "threshold_bp"),
        ("threshold_bp = 4000", "threshold_bp = -1", "threshold_bp"),
        ("threshold_bp = 4000", "threshold_bp = 10001", "threshold_bp"),
        ("threshold_bp = 4000", "", "missing"),
        ("threshold_bp = 4000", "threshold_bp = 4000\nsurprise = 1", "unknown"),
        ("[leakage]", "[leakages]", "policy"),
        ("tokens_mean = [50, 500]", "tokens_mean = [500, 50]", "least"),
        ("tokens_mean = [50, 500]", "tokens_mean = [50]", "pair"),
        ("val = 1", "dev = 1", "split"),
        ("mhds.policy/1", "mhds.policy/2", "format"),
        ("format =", "[format", "TOML"),
    ],
)
def test_f13_f14_it_refuses_a_policy_that_is_not_exactly_one(old, new, about):
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=about):
        parse_policy(TEXT.replace(old, new, 1))


def test_f13_an_empty_file_is_no_policy():
    with pytest.raises(ConfigurationError):
        parse_policy("")
