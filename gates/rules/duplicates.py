"""The duplicates gate: nothing ships twice, and near-duplicates stay within the family's share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gates.policy import Policy
from gates.rules.base import (
    SHOWN,
    Finding,
    Gate,
    GateInputs,
    ObjectAccount,
    Outcome,
    conclude,
    doubtful,
    many,
    share_bp,
)
from gates.scan.clusters import Clustering

RULES = {
    "duplicates.U001": "no two records have the same content",
    "duplicates.U002": "the share of records with a near-duplicate is within the policy, per family",
    "duplicates.U003": "a family that drops near-duplicates has none",
    "duplicates.U004": "no message ties more than the policy's share of a family into one cluster",
}
LARGEST = 50  # clusters that a report shows


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: records of the facts."""
    records = inputs.scanned.records
    families: list[str] = records["family"].to_pylist()
    clustering = inputs.clustering(policy.near_threshold_bp)
    near = _near_by_family(clustering, families)
    sizes = Counter(families)
    findings = [
        *_exact(inputs, families),
        *_near(near, sizes, policy),
        *_undropped(clustering, families, inputs),
        *_large(clustering, families, inputs, policy),
    ]
    figures = {
        "near_share_bp": {name: share_bp(len(near[name]), sizes[name]) for name in sorted(sizes)},
        "near_pairs": len(clustering.near_pairs),
        "clusters": _largest(clustering, families, inputs),
        "repeated_short_messages": len(clustering.repeated_messages),
        "whole_object_copies": _copies(inputs.accounts),
        "containers": _containers(inputs.accounts),
        "excluded": {name: inputs.exclusions.get(name, 0) for name in ("exact_duplicate", "near_duplicate")},
    }
    return conclude(
        "duplicates",
        inputs,
        examined=records.num_rows,
        expected=inputs.compiled,
        findings=findings,
        figures=figures,
    )


def _exact(inputs: GateInputs, families: Sequence[str]) -> Iterator[Finding]:
    records = inputs.scanned.records
    hashes: list[str] = records["content_hash"].to_pylist()
    again = {one for one, count in Counter(hashes).items() if count > 1}
    for family in sorted({families[i] for i, one in enumerate(hashes) if one in again}):
        rows = [i for i, one in enumerate(hashes) if one in again and families[i] == family]
        shown = [{"record_id": records["record_id"][i].as_py(), "content_hash": hashes[i]} for i in rows[:SHOWN]]
        begins = many(len(rows), f"record of {family} ships", f"records of {family} ship")
        words = f"{begins} more than once. Build a new candidate."
        yield Finding("duplicates.U001", words, family, len(rows), {"records": shown}, waivable=True)


def _near_by_family(clustering: Clustering, families: Sequence[str]) -> Mapping[str, set[int]]:
    near: dict[str, set[int]] = defaultdict(set)
    for pair in clustering.near_pairs:
        for item in (pair.first, pair.second):
            near[families[item]].add(item)
    return near


def _near(near: Mapping[str, set[int]], sizes: Mapping[str, int], policy: Policy) -> Iterator[Finding]:
    limit = policy.duplicates.near_share_bp
    for family in sorted(sizes):
        count = len(near.get(family, ()))
        if count * 10_000 > limit * sizes[family]:
            share = share_bp(count, sizes[family])
            words = (
                f"{share} of 10,000 records of {family} have a near-duplicate, {limit} are allowed. "
                "Let the family drop near-duplicates, or ask for a waiver."
            )
            yield Finding("duplicates.U002", words, family, count, waivable=True)


def _undropped(clustering: Clustering, families: Sequence[str], inputs: GateInputs) -> Iterator[Finding]:
    dropping = {family.id for family in inputs.catalog.families if family.near_duplicates == "drop"}
    left = Counter(
        families[pair.first]
        for pair in clustering.near_pairs
        if families[pair.first] == families[pair.second] and families[pair.first] in dropping
    )
    for family, count in sorted(left.items()):
        words = f"{family} drops near-duplicates, and {count} pairs are left. Build a new candidate."
        yield Finding("duplicates.U003", words, family, count, waivable=True)


def _members(clustering: Clustering) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for item, name in enumerate(clustering.cluster_of):
        members[name].append(item)
    return {name: items for name, items in members.items() if len(items) > 1}


def _large(clustering: Clustering, families: Sequence[str], inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    rules, sizes = policy.duplicates, Counter(families)
    for name, items in sorted(_members(clustering).items()):
        for family, count in sorted(Counter(families[item] for item in items).items()):
            if count < rules.cluster_min_members or count * 10_000 <= rules.cluster_share_bp * sizes[family]:
                continue
            cause = _cause(clustering, name, inputs)
            words = (
                f"One cluster holds {count} of {sizes[family]} records of {family}, tied by {_in_words(cause)}. "
                "Take that text out of the source, or exclude it, and build again."
            )
            yield doubtful("duplicates.U004", words, subject=f"{family}:{name}", members=count, **cause)


def _cause(clustering: Clustering, name: str, inputs: GateInputs) -> dict[str, Any]:
    """What ties most of a cluster together: kind, message hash, and one record and turn where it can be seen."""
    causes = clustering.causes.get(name, ())
    named = [cause for cause in causes if cause.message_hash] or list(causes)
    if not named:
        return {"kind": "unknown", "message_hash": "", "record_id": "", "turn": -1}
    first = max(named, key=lambda cause: cause.records)
    witness = inputs.scanned.records["record_id"][first.item].as_py()
    return {"kind": first.kind, "message_hash": first.message_hash, "record_id": witness, "turn": first.turn}


def _in_words(cause: Mapping[str, Any]) -> str:
    if cause["message_hash"]:
        return f"the {cause['kind']} {cause['message_hash']} (record {cause['record_id']}, turn {cause['turn']})"
    return f"{cause['kind']} likeness (record {cause['record_id']})"


def _largest(clustering: Clustering, families: Sequence[str], inputs: GateInputs) -> list[dict[str, Any]]:
    members = _members(clustering)
    ranked = sorted(members, key=lambda name: (-len(members[name]), name))[:LARGEST]
    ids = inputs.scanned.records["record_id"]
    return [
        {
            "cluster": name,
            "records": len(members[name]),
            "families": dict(sorted(Counter(families[item] for item in members[name]).items())),
            "record_ids": sorted(ids[item].as_py() for item in members[name][:SHOWN]),
            "cause": _cause(clustering, name, inputs),
        }
        for name in ranked
    ]


def _copies(accounts: Sequence[ObjectAccount]) -> list[dict[str, Any]]:
    """Groups of objects with the same bytes."""
    same: dict[str, list[str]] = defaultdict(list)
    for one in accounts:
        if one.sha256:
            same[one.sha256].append(one.key)
    groups = [{"sha256": digest, "keys": sorted(keys, key=str.encode)} for digest, keys in sorted(same.items())]
    return [group for group in groups if len(group["keys"]) > 1][:LARGEST]


def _containers(accounts: Sequence[ObjectAccount]) -> list[dict[str, Any]]:
    """Objects with as many records as all others of their folder together, where at least that many were duplicates."""
    folders: dict[str, list[ObjectAccount]] = defaultdict(list)
    for one in accounts:
        if one.status == "read" and one.records_in:
            folders[one.key.rpartition("/")[0]].append(one)
    found = []
    for members in folders.values():
        total = sum(one.records_in for one in members)
        repeated = sum(one.excluded.get("exact_duplicate", 0) for one in members)
        for one in members:
            if len(members) > 2 and one.records_in * 2 == total and repeated >= one.records_in:
                siblings = sorted((other.key for other in members if other is not one), key=str.encode)
                found.append({"key": one.key, "records": one.records_in, "siblings": siblings[:SHOWN]})
    return sorted(found, key=lambda row: str(row["key"]).encode())[:LARGEST]


GATE = Gate("duplicates", "U", "Nothing ships twice", RULES, judge)
