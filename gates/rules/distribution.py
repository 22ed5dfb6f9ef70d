"""The distribution gate: tokens, turns and lengths lie in their ranges, and did not move since the last release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gates.policy import FamilyRanges, Policy
from gates.rules.base import Finding, Gate, GateInputs, Outcome, conclude, doubtful, many

RULES = {
    "distribution.D001": "means and maxima of a family and split lie in the policy's range, or a lead explains",
    "distribution.D002": "figures moved within the tolerance since the last published release, or a lead explains",
    "distribution.D003": "no family and split of the last published release is gone, or a lead explains",
    "distribution.D004": "every split has the records that the policy asks for",
    "distribution.D005": "the figures of the last published release are there",
}
MEASURES = ("tokens", "turns", "chars")
QUANTILES = (5, 25, 50, 75, 95)
BARS = 20
MILLI = 1000
ROLES = ("user_turns", "assistant_turns", "system_turns")

Stratum = tuple[str, str]


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: records of the facts, each in one family and split."""
    strata = _strata(inputs)
    figures = figures_of(inputs)
    findings = [
        *_ranges(strata, figures, policy),
        *_regressions(figures, inputs, policy),
        *_required(inputs, policy),
    ]
    shown = {
        "values": figures,
        "strata": [_shown(stratum, rows, inputs, policy) for stratum, rows in strata.items()],
        "compared_with": inputs.published[-1] if inputs.published else "",
        "tokenizer": inputs.scanned.tokenizer,
    }
    examined = sum(len(rows) for rows in strata.values())
    return conclude(
        "distribution", inputs, examined=examined, expected=inputs.compiled, findings=findings, figures=shown
    )


def figures_of(inputs: GateInputs) -> dict[str, int]:
    """``family/split/measure`` -> integer; means in thousandths. What the next release is compared with."""
    strata = _strata(inputs)
    total = sum(len(rows) for rows in strata.values())
    figures: dict[str, int] = {}
    for (family, split), rows in strata.items():
        where = f"{family}/{split}"
        figures[f"{where}/records"] = len(rows)
        figures[f"{where}/share_bp"] = len(rows) * 10_000 // total
        for measure in MEASURES:
            values = _column(inputs, measure)[rows]
            figures[f"{where}/{measure}_mean"] = int(values.sum()) * MILLI // len(rows)
            figures[f"{where}/{measure}_max"] = int(values.max()) * MILLI
    return figures


def _strata(inputs: GateInputs) -> dict[Stratum, NDArray[np.int64]]:
    """(family, split) -> positions of its records; only those that have some."""
    records = inputs.scanned.records
    places = np.array(
        [f"{f}\n{s}" for f, s in zip(records["family"].to_pylist(), records["split"].to_pylist(), strict=True)]
    )
    found: dict[Stratum, NDArray[np.int64]] = {}
    names, inverse = np.unique(places, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.cumsum(np.bincount(inverse, minlength=len(names)))[:-1]
    for name, rows in zip(names.tolist(), np.split(order, bounds), strict=False):
        family, _newline, split = name.partition("\n")
        found[family, split] = rows
    return found


def _column(inputs: GateInputs, measure: str) -> NDArray[np.int64]:
    values: NDArray[np.int64] = inputs.scanned.records[measure].to_numpy().astype(np.int64)
    return values


def _ranges(
    strata: Mapping[Stratum, NDArray[np.int64]], figures: Mapping[str, int], policy: Policy
) -> Iterator[Finding]:
    for (family, split), rows in strata.items():
        ranges = policy.distribution.ranges.get(family)
        if ranges is not None and len(rows) >= policy.distribution.min_records:
            yield from _out_of_range(f"{family}/{split}", ranges, figures, len(rows))


def _out_of_range(where: str, ranges: FamilyRanges, figures: Mapping[str, int], records: int) -> Iterator[Finding]:
    for measure in ("tokens_mean", "tokens_max", "turns_mean", "turns_max"):
        least, most = getattr(ranges, measure)
        value = figures[f"{where}/{measure}"]
        if not least * MILLI <= value <= most * MILLI:
            words = (
                f"{where}/{measure} is {decimal(value)}, expected {least} to {most}. "
                "Look at the records, then mend the source or have a lead explain the figure."
            )
            evidence = {"value_milli": value, "least": least, "most": most, "records": records}
            yield Finding(
                "distribution.D001", words, f"{where}/{measure}", 1, evidence, waivable=True, explainable=True
            )


def _regressions(figures: Mapping[str, int], inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    if not inputs.published:
        return
    last = next((one for one in inputs.earlier if one.version == inputs.published[-1]), None)
    if last is None or not last.figures:
        words = f"The figures of {inputs.published[-1]} are missing. Restore its facts in the bucket."
        yield doubtful("distribution.D005", words)
        return
    for name, before in sorted(last.figures.items()):
        where, _slash, measure = name.rpartition("/")
        enough = last.figures.get(f"{where}/records", 0) >= policy.distribution.min_records
        if not enough or measure == "records":
            continue
        if name not in figures:
            if measure == "share_bp":
                words = f"{where} was in {last.version} and is gone. Bring it back, or have a lead explain the figure."
                yield Finding("distribution.D003", words, name, waivable=True, explainable=True)
        elif figures[f"{where}/records"] >= policy.distribution.min_records:
            yield from _moved(name, before, figures[name], last.version, policy)


def _moved(name: str, before: int, now: int, version: str, policy: Policy) -> Iterator[Finding]:
    rules = policy.distribution
    if name.endswith("/share_bp"):
        moved = abs(now - before) > rules.share_tolerance_bp
    elif before <= 0:
        yield doubtful(
            "distribution.D002", f"{name} was {before} in {version}: no change can be measured.", subject=name
        )
        return
    else:
        moved = abs(now - before) * 10_000 > rules.tolerance_bp * before
    if moved:
        words = (
            f"{name} went from {before} to {now} since {version}. Find out why, then have a lead explain the figure."
        )
        evidence = {"before": before, "now": now, "version": version}
        yield Finding("distribution.D002", words, name, 1, evidence, waivable=True, explainable=True)


def _required(inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    splits: list[str] = inputs.scanned.records["split"].to_pylist()
    for split, least in policy.distribution.strata.items():
        count = splits.count(split)
        if count < least:
            begins = many(count, "record", "records")
            words = f"{split} has {begins}, the policy asks for {least}. Add sources, or ask for a waiver."
            yield Finding("distribution.D004", words, split, waivable=True)


def _shown(stratum: Stratum, rows: NDArray[np.int64], inputs: GateInputs, policy: Policy) -> dict[str, Any]:
    records = inputs.scanned.records
    codes, counts = np.unique(np.array(records["language"].to_pylist())[rows], return_counts=True)
    ranges = policy.distribution.ranges.get(stratum[0])
    return {
        "family": stratum[0],
        "split": stratum[1],
        "records": len(rows),
        "judged": ranges is not None and len(rows) >= policy.distribution.min_records,
        "roles": {role: int(_column(inputs, role)[rows].sum()) for role in ROLES},
        "languages": dict(zip(codes.tolist(), counts.tolist(), strict=True)),
        "measures": {measure: _summary(_column(inputs, measure)[rows]) for measure in MEASURES},
    }


def _summary(values: NDArray[np.int64]) -> dict[str, Any]:
    """Quantiles by nearest rank, and a histogram of equal bars from 0: bar i holds [i * width, (i + 1) * width)."""
    ranked = np.sort(values)
    width = max(1, -(-(int(ranked[-1]) + 1) // BARS))
    bars = np.bincount(ranked // width, minlength=BARS)
    return {
        "mean_milli": int(ranked.sum()) * MILLI // len(ranked),
        "min": int(ranked[0]),
        "max": int(ranked[-1]),
        "sum": int(ranked.sum()),
        "quantiles": {f"p{q:02d}": int(ranked[max(0, -(-q * len(ranked) // 100) - 1)]) for q in QUANTILES},
        "bar_width": width,
        "bars": bars.tolist(),
    }


def decimal(milli: int) -> str:
    """A figure in thousandths as people read it: ``1234500`` -> ``1234.5``."""
    whole, rest = divmod(milli, MILLI)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


GATE = Gate("distribution", "D", "Tokens, turns and lengths are as expected", RULES, judge)
