"""Which split a cluster goes to: a pure function of (seed, cluster id), holdout policies and earlier releases."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BASIS = 10_000
HELD_OUT = ("val", "test")


def drawn_split(seed: int, cluster_id: str, splits_bp: Mapping[str, int]) -> str:
    """The split that chance, fixed by the seed, gives to a cluster.

    The first 8 bytes of SHA-256(seed, cluster id) modulo 10,000, cut at the cumulated basis points of train, val, test.
    """
    digest = hashlib.sha256(f"mhds.split/1\n{seed}\n{cluster_id}".encode()).digest()
    ticket = int.from_bytes(digest[:8], "big") % BASIS
    if ticket < splits_bp["train"]:
        return "train"
    return "val" if ticket < splits_bp["train"] + splits_bp["val"] else "test"


@dataclass(frozen=True, slots=True)
class Member:
    """One record as the split sees it: ``holdout`` is its family's policy."""

    content_hash: str
    cluster_id: str
    holdout: str


@dataclass
class SplitPlan:
    """``split_of`` by position; None means excluded as ``holdout_overlap``. Conflicts are clusters pulled two ways."""

    split_of: list[str | None] = field(default_factory=list)
    conflicts: int = 0
    pinned: int = 0


def _pinned(hashes: Iterable[str], earlier: Mapping[str, str]) -> tuple[str | None, bool]:
    """(the split that earlier releases force on a cluster, whether they disagree)."""
    seen = Counter(earlier[one] for one in hashes if one in earlier)
    if not seen:
        return None, False
    if len(seen) == 1:
        return next(iter(seen)), False
    # What was trained on once can never be held out again: train wins, and the conflict is counted.
    return ("train" if "train" in seen else "val"), True


def assign(
    members: Sequence[Member], *, seed: int, splits_bp: Mapping[str, int], earlier: Mapping[str, str]
) -> SplitPlan:
    """One split for every cluster, in the order of ``members``.

    ``test_only`` records go to test and what else joins their cluster is excluded; ``train_only`` pulls its cluster to
    train. ``earlier`` maps content hashes of published releases to their split: val and test stay, train never moves to
    test.
    """
    clusters: dict[str, list[int]] = {}
    for index, member in enumerate(members):
        clusters.setdefault(member.cluster_id, []).append(index)
    plan = SplitPlan(split_of=[None] * len(members))
    for cluster_id, indices in clusters.items():
        _assign_cluster(plan, [members[i] for i in indices], indices, cluster_id, seed, splits_bp, earlier)
    return plan


def _assign_cluster(
    plan: SplitPlan,
    cluster: Sequence[Member],
    indices: Sequence[int],
    cluster_id: str,
    seed: int,
    splits_bp: Mapping[str, int],
    earlier: Mapping[str, str],
) -> None:
    policies = {member.holdout for member in cluster}
    if "test_only" in policies:
        for index, member in zip(indices, cluster, strict=True):
            plan.split_of[index] = "test" if member.holdout == "test_only" else None
        return
    pinned, conflict = _pinned((member.content_hash for member in cluster), earlier)
    if "train_only" in policies:
        conflict = conflict or pinned in HELD_OUT
        pinned = "train"
    split = pinned or drawn_split(seed, cluster_id, splits_bp)
    plan.conflicts += conflict
    plan.pinned += pinned is not None
    for index in indices:
        plan.split_of[index] = split
