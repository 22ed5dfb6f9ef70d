"""Distribution: ranges, regressions, required strata; figures as whole numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.policy import FamilyRanges
from gates.rules.base import EarlierRelease, Verdict
from gates.rules.distribution import decimal, figures_of
from tests.gates.asking import ask, failed_rules, policy
from tests.gates.factory import build, rows, with_rows

pytestmark = pytest.mark.gates
RANGES = {"plain": FamilyRanges((50, 500), (100, 2000), (2, 20), (2, 50))}
FEW = policy(distribution={"min_records": 4, "ranges": RANGES})


def lengths(tokens, **changed):
    return with_rows(build(), lambda row: {**row, "tokens": tokens, **changed} if row["family"] == "plain" else row)


def after(figures, inputs=None):
    last = EarlierRelease("v2025-12-01", {}, {}, figures)
    return replace(inputs or build(), earlier=(last,), published=(last.version,))


def test_it_passes_figures_at_both_ends_of_their_ranges():
    for tokens in (100, 500):
        assert ask("distribution", lengths(tokens), FEW).verdict is Verdict.PASS


@pytest.mark.parametrize(("tokens", "figures"), [(49, {"tokens_mean", "tokens_max"}), (501, {"tokens_mean"})])
def test_it_fails_a_mean_or_maximum_outside_its_range_and_names_the_figure(tokens, figures):
    outcome = ask("distribution", lengths(tokens), FEW)
    assert failed_rules(outcome) == {"distribution.D001"}
    assert {one.subject for one in outcome.findings} == {f"plain/train/{name}" for name in figures}


def test_an_explanation_settles_the_figure_that_it_names_and_no_other():
    inputs = lengths(501)
    named = replace(inputs, explanations={"plain/train/tokens_mean": "e1"})
    outcome = ask("distribution", named, FEW)
    assert (outcome.verdict, outcome.findings[0].settled_by) == (Verdict.PASS, "explanation:e1")
    other = replace(inputs, explanations={"plain/train/tokens_max": "e1"})
    assert ask("distribution", other, FEW).verdict is Verdict.FAIL


def test_a_stratum_with_few_records_is_shown_and_not_judged():
    outcome = ask("distribution", lengths(1), policy(distribution={"min_records": 5, "ranges": RANGES}))
    assert outcome.verdict is Verdict.PASS
    shown = next(one for one in outcome.figures["strata"] if (one["family"], one["split"]) == ("plain", "train"))
    assert (shown["records"], shown["judged"], shown["measures"]["tokens"]["max"]) == (4, False, 1)


def test_a_family_without_ranges_is_only_reported():
    inputs = with_rows(build(), lambda row: {**row, "tokens": 9} if row["family"] == "edge" else row)
    assert ask("distribution", inputs, FEW).verdict is Verdict.PASS


def test_f03_it_fails_a_split_that_is_empty_while_the_whole_is_not():
    given = [row for row in rows() if row.split != "val"]
    assert failed_rules(ask("distribution", build(given))) == {"distribution.D004"}


def test_it_fails_a_figure_that_moved_beyond_the_tolerance_until_it_is_explained():
    before = {**figures_of(build()), "plain/train/tokens_mean": 80_000}
    outcome = ask("distribution", after(before), FEW)
    assert failed_rules(outcome) == {"distribution.D002"}
    assert outcome.findings[0].evidence == {"before": 80_000, "now": 120_000, "version": "v2025-12-01"}
    explained = replace(after(before), explanations={"plain/train/tokens_mean": "e1"})
    assert ask("distribution", explained, FEW).verdict is Verdict.PASS


def test_it_passes_a_figure_that_moved_within_the_tolerance():
    before = {**figures_of(build()), "plain/train/tokens_mean": 100_000}
    assert ask("distribution", after(before), FEW).verdict is Verdict.PASS


def test_it_fails_a_share_of_the_records_that_moved():
    before = {**figures_of(build()), "plain/train/share_bp": 5000}
    assert failed_rules(ask("distribution", after(before), FEW)) == {"distribution.D002"}


def test_it_fails_a_family_and_split_that_is_gone():
    before = {**figures_of(build()), "old/train/records": 900, "old/train/share_bp": 800}
    assert failed_rules(ask("distribution", after(before), FEW)) == {"distribution.D003"}


def test_f04_a_change_from_zero_is_error_and_not_zero():
    before = {**figures_of(build()), "plain/train/tokens_mean": 0}
    assert ask("distribution", after(before), FEW).verdict is Verdict.ERROR


def test_a_last_release_without_figures_is_error():
    assert failed_rules(ask("distribution", after({}), FEW)) == {"distribution.D005"}


def test_quantiles_are_by_nearest_rank_and_bars_hold_every_record():
    ranks = iter(range(1, 100))
    inputs = with_rows(build(), lambda row: {**row, "tokens": next(ranks)})
    shown = ask("distribution", inputs).figures["strata"]
    edge = next(one for one in shown if (one["family"], one["split"]) == ("edge", "train"))["measures"]["tokens"]
    assert edge["quantiles"]["p50"] in range(edge["min"], edge["max"] + 1)
    assert sum(edge["bars"]) == 4
    assert edge["mean_milli"] == edge["sum"] * 1000 // 4


def test_a_figure_in_thousandths_reads_as_a_decimal():
    assert [decimal(milli) for milli in (1_234_500, 120_000, 7)] == ["1234.5", "120", "0.007"]
