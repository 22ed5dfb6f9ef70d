"""Reads ``config/routing.json``: how often each family is drawn. Checks it against the manifest; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhds.client.canonical import decode_strict
from mhds.client.errors import DigestMismatch, IntegrityError
from mhds.client.fields import IDENTIFIER, Fields
from mhds.client.model import Manifest

ROUTING_SCHEMA = "mhds.routing/1"
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class Routing:
    """``weights`` in basis points by enabled family, summing to 10,000; ``digest`` is the file's sha256 in hex."""

    digest: str
    weights: Mapping[str, int]


def parse_routing(data: bytes, manifest: Manifest) -> Routing:
    """Read ``{"schema", "families": [{"family", "enabled", "effective_bp", "paths"?, ...}], ...}``.

    It must name exactly the families that have records, switch off exactly those of weight 0, sum to 10,000 and point
    only at shards of this manifest. Raises ``IntegrityError``; fields that drawing does not need are left alone.
    """
    top = Fields(decode_strict(data, "routing"), "routing")
    if top.text("schema") != ROUTING_SCHEMA:
        raise IntegrityError(f"routing.schema must be {ROUTING_SCHEMA}")
    shards = {entry.path for entry in manifest.data_files()}
    weights: dict[str, int] = {}
    for row in top.rows("families"):
        family = row.text("family", IDENTIFIER)
        if family in weights:
            raise IntegrityError(f"routing names the family {family} twice")
        weights[family] = _weight(row, family)
        if "paths" in row.value and not set(map(str, row.items("paths"))) <= shards:
            raise IntegrityError(f"routing sends {family} to paths that are no shards of this release")
    _check_against(weights, manifest)
    return Routing(manifest.routing.sha256, {family: bp for family, bp in sorted(weights.items()) if bp})


def _weight(row: Fields, family: str) -> int:
    weight = row.count("effective_bp")
    if row.flag("enabled") != (weight > 0):
        raise IntegrityError(f"routing: {family} is enabled with weight 0, or disabled with a weight")
    return weight


def _check_against(weights: Mapping[str, int], manifest: Manifest) -> None:
    held = sorted(family.id for family in manifest.families if family.records)
    if sorted(weights) != held:
        raise DigestMismatch("families of routing", expected=", ".join(held), actual=", ".join(sorted(weights)))
    if sum(weights.values()) != WHOLE_BP:
        raise DigestMismatch("weights of routing, in basis points", expected=WHOLE_BP, actual=sum(weights.values()))
