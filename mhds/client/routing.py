"""Reads ``config/routing.json``: how often each family is drawn. Checks it against the manifest; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhds.client.canonical import decode_strict
from mhds.client.errors import DigestMismatch, IntegrityError
from mhds.client.fields import IDENTIFIER, Fields
from mhds.client.model import SPLITS, Manifest

ROUTING_SCHEMA = "mhds.routing/1"
STRATEGY = "weighted_window"
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class Routing:
    """``weights`` in basis points by enabled family, summing to 10,000; ``digest`` is the file's sha256 in hex;
    ``seed`` is the one that the release pins."""

    digest: str
    seed: int
    weights: Mapping[str, int]


def parse_routing(data: bytes, manifest: Manifest) -> Routing:
    """Read ``{"schema", "seed", "sampling": {"strategy"}, "families": [{"id", "enabled", "effective_bp", "shards"}]}``.

    It must pin the strategy that this client draws by, name exactly the families that have records with exactly the
    shards that the manifest lists for each, switch off exactly those of weight 0, and sum to 10,000. Raises
    ``IntegrityError``; fields that drawing does not need are left alone.
    """
    top = Fields(decode_strict(data, "routing"), "routing")
    top.choice("schema", frozenset({ROUTING_SCHEMA}))
    top.inner("sampling").choice("strategy", frozenset({STRATEGY}))
    weights: dict[str, int] = {}
    for row in top.rows("families"):
        family = row.text("id", IDENTIFIER)
        if family in weights:
            raise IntegrityError(f"routing names the family {family} twice")
        weights[family] = _weight(row, family)
        _check_shards(row.inner("shards", frozenset(SPLITS)), family, manifest)
    _check_against(weights, manifest)
    drawn = {family: bp for family, bp in sorted(weights.items()) if bp}
    return Routing(manifest.routing.sha256, top.count("seed"), drawn)


def _check_shards(shards: Fields, family: str, manifest: Manifest) -> None:
    named = sorted(str(path) for split in shards.value for path in shards.items(split))
    listed = [entry.path for entry in manifest.data_files(family=family)]
    if named != sorted(listed):
        odd = min(set(named) ^ set(listed), key=str.encode, default="a repeated path")
        raise IntegrityError(f"routing and manifest differ in the shards of {family}: {odd}")


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
