"""What a gate's page shows of the figures that a result keeps: rows, shares and charts. Reads them, judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gates.charts import Histogram, histogram
from gates.policy import Policy

Json = Mapping[str, Any]
CHARTED = ("tokens", "turns")
SPLITS = ("train", "val", "test")


def shown(gate: str, figures: Json, findings: Sequence[Json], policy: Policy, query: Mapping[str, str]) -> Json:
    """The context of ``gates/figures/<gate>.html``; of a gate without a page of its own, the figures as they are."""
    make = MAKERS.get(gate)
    return make(figures, findings, policy, query) if make and figures else {}


def templates(gate: str) -> list[str]:
    """The gate's own figures where there are, else the table of whatever is there."""
    return [f"gates/figures/{gate}.html", "gates/figures/_any.html"]


def _distribution(figures: Json, findings: Sequence[Json], policy: Policy, query: Mapping[str, str]) -> Json:
    strata: list[Json] = figures["strata"]
    splits = [split for split in SPLITS if any(row["split"] == split for row in strata)]
    split = query.get("split", "")
    chosen = split if split in splits else splits[0] if splits else ""
    failing = {one["subject"] for one in findings if not one.get("settled_by")}
    return {
        "splits": splits,
        "split": chosen,
        "charts": [chart for row in strata if row["split"] == chosen for chart in _charts(row, policy, failing)],
        "strata": strata,
        "compared_with": figures.get("compared_with", ""),
        "tokenizer": figures.get("tokenizer", ""),
        "total": sum(row["records"] for row in strata),
    }


def _charts(row: Json, policy: Policy, failing: set[str]) -> list[Json]:
    ranges = policy.distribution.ranges.get(row["family"])
    allowed = asdict(ranges) if ranges is not None and row["judged"] else {}
    made: list[Json] = []
    for measure in CHARTED:
        where = f"{row['family']}/{row['split']}/{measure}"
        bound = allowed.get(f"{measure}_mean")
        failed = f"{where}_mean" in failing or f"{where}_max" in failing
        chart: Histogram = histogram(
            f"{row['family']}, {measure}", row["measures"][measure], tuple(bound) if bound else None, failed=failed
        )
        made.append({"family": row["family"], "measure": measure, "chart": chart, "summary": row["measures"][measure]})
    return sorted(made, key=lambda one: not one["chart"].failed)


def _privacy(figures: Json, _findings: Sequence[Json], _policy: Policy, _query: Mapping[str, str]) -> Json:
    told = figures.get("redaction", {})
    by_family: dict[str, Json] = dict(sorted(told.get("by_family", {}).items()))
    replaced: Json = told.get("replaced", {})
    return {
        "families": list(by_family),
        "entities": [
            (entity, [by_family[family].get(entity, 0) for family in by_family], count)
            for entity, count in sorted(replaced.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "replaced_total": sum(replaced.values()),
        "told": told,
    }


def _duplicates(figures: Json, _findings: Sequence[Json], policy: Policy, _query: Mapping[str, str]) -> Json:
    clusters: list[Json] = figures.get("clusters", [])
    return {
        "limit_bp": policy.duplicates.near_share_bp,
        "clusters": clusters[:SHOWN],
        "clusters_more": len(clusters) - len(clusters[:SHOWN]),
        "in_clusters": sum(one["records"] for one in clusters),
    }


def _leakage(figures: Json, _findings: Sequence[Json], policy: Policy, _query: Mapping[str, str]) -> Json:
    return {
        "limit_bp": policy.leakage.share_bp,
        "total": sum(figures.get("records_by_split", {}).values()),
    }


def _provenance(figures: Json, _findings: Sequence[Json], _policy: Policy, _query: Mapping[str, str]) -> Json:
    def ranked(name: str) -> list[tuple[str, Json]]:
        return sorted(figures.get(name, {}).items(), key=lambda pair: (-pair[1]["records"], pair[0]))

    return {
        "by_source": ranked("by_source"),
        "by_licence": ranked("by_licence"),
        "total": sum(one["records"] for one in figures.get("by_source", {}).values()),
    }


SHOWN = 20  # clusters that a page lists; the report keeps more
MAKERS: dict[str, Callable[[Json, Sequence[Json], Policy, Mapping[str, str]], Json]] = {
    "distribution": _distribution,
    "duplicates": _duplicates,
    "leakage": _leakage,
    "privacy": _privacy,
    "provenance": _provenance,
}
