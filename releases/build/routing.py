"""The routing and curriculum configs: weights of exactly the families that have records. Pure arithmetic, no floats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from releases.catalog.types import BASIS, Catalog, Family

WINDOW = 1000  # the mix is exact over every window of this many sampled records


def effective_weights(families: Sequence[Family], present: set[str]) -> dict[str, int]:
    """Basis points over the present families; what absent ones leave is spread in proportion (largest remainder).

    The result sums to 10,000, or is all zero when no present family has a weight.
    """
    weights = {family.id: family.weight_bp for family in families if family.id in present}
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    shares = {name: weight * BASIS // total for name, weight in weights.items()}
    remainders = sorted(weights, key=lambda name: (-(weights[name] * BASIS % total), name.encode()))
    for name in remainders[: BASIS - sum(shares.values())]:
        shares[name] += 1
    return shares


def routing_config(catalog: Catalog, version: str, shards: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Any]:
    """``shards``: family -> split -> paths below the release prefix. Families without records are not named."""
    present = {family for family, by_split in shards.items() if any(by_split.values())}
    families = [family for family in catalog.families if family.id in present]
    effective = effective_weights(families, present)
    return {
        "schema": "mhds.routing/1",
        "version": version,
        "seed": catalog.seed,
        "sampling": {"strategy": "weighted_window", "window": WINDOW},
        "phases": [
            {"stage": stage.id, "title": stage.title, "families": [f.id for f in families if f.stage == stage.id]}
            for stage in catalog.stages
            if any(family.stage == stage.id for family in families)
        ],
        "families": [
            {
                "id": family.id,
                "stage": family.stage,
                "enabled": effective[family.id] > 0,
                "catalog_bp": family.weight_bp,
                "effective_bp": effective[family.id],
                "shards": {split: sorted(paths) for split, paths in sorted(shards[family.id].items())},
            }
            for family in families
        ],
    }


def curriculum_config(routing: Mapping[str, Any]) -> dict[str, Any]:
    """The stages in the routing's order, each with the weights of its own families."""
    weights = {family["id"]: family["effective_bp"] for family in routing["families"]}
    return {
        "schema": "mhds.curriculum/1",
        "version": routing["version"],
        "phases": [
            {
                "stage": phase["stage"],
                "order": order,
                "families": {name: weights[name] for name in phase["families"] if weights[name]},
            }
            for order, phase in enumerate(routing["phases"], start=1)
        ],
    }


def encode_config(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
