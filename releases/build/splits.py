"""Which split a cluster goes to: a pure function of (seed, cluster id), holdout policies and earlier releases."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

BASIS = 10_000
TEST_ONLY = "test_only"
SPLIT_VERSION = "2"  # raise it with any change of which split a record goes to
HOLDOUT_OVERLAP = "holdout_overlap"
EARLIER_SPLIT = "earlier_split_conflict"  # a policy puts it where an earlier release forbids it to be


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
    """One record as the split sees it: ``holdout`` is its family's policy, ``was`` every split it was in before.

    *It* is the record or any long message of it, in whichever earlier release: what the leakage gate looks at too.
    """

    cluster_id: str
    holdout: str
    was: frozenset[str] = frozenset()


@dataclass
class SplitPlan:
    """``split_of`` by position; None means excluded, for the reason in ``reasons``.

    Conflicts are clusters pulled two ways.
    """

    split_of: list[str | None] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    conflicts: int = 0
    pinned: int = 0


def may_lie(split: str, was: Collection[str]) -> bool:
    """Whether what earlier releases had in ``was`` may be in ``split`` now; the leakage gate asks it of each cluster.

    Held out once stays held out in that split, trained on once never becomes test; where earlier releases disagree,
    train is right too. What holds for each of several records holds for all of them together.
    """
    if not was:
        return True
    if "train" in was:
        return split != "test"
    return split in was or (split == "train" and len(was) > 1)


def assign(members: Sequence[Member], *, seed: int, splits_bp: Mapping[str, int]) -> SplitPlan:
    """One split for every cluster, in the order of ``members``.

    ``test_only`` records go to test and what else joins their cluster is excluded; ``train_only`` pulls its cluster to
    train. A cluster with a history stays where it was; one with two goes to train as a whole and is counted. A record
    that its family's policy would put where its history forbids is excluded.
    """
    clusters: dict[str, list[int]] = {}
    for index, member in enumerate(members):
        clusters.setdefault(member.cluster_id, []).append(index)
    plan = SplitPlan(split_of=[None] * len(members))
    for cluster_id, indices in clusters.items():
        _assign_cluster(plan, members, indices, drawn_split(seed, cluster_id, splits_bp))
    return plan


def _assign_cluster(plan: SplitPlan, members: Sequence[Member], indices: Sequence[int], drawn: str) -> None:
    test_only = [index for index in indices if members[index].holdout == TEST_ONLY]
    others = [index for index in indices if members[index].holdout != TEST_ONLY]
    in_test = any(may_lie("test", members[index].was) for index in test_only)
    conflict = _place(plan, members, test_only, "test")
    if in_test:
        plan.reasons |= dict.fromkeys(others, HOLDOUT_OVERLAP)
    elif others:
        # Without a record that can be held out, there is nothing that the others could overlap with.
        conflict |= _place_by_history(plan, members, others, drawn)
    plan.conflicts += conflict


def _place_by_history(plan: SplitPlan, members: Sequence[Member], indices: Sequence[int], drawn: str) -> bool:
    was = frozenset[str]().union(*(members[index].was for index in indices))
    plan.pinned += bool(was)
    if len(was) > 1:
        # As one: part of it was trained on, or held out in two places, so that it can hold out nothing any more.
        for index in indices:
            plan.split_of[index] = "train"
        return True
    train_only = any(members[index].holdout == "train_only" for index in indices)
    return _place(plan, members, indices, "train" if train_only else next(iter(was), drawn))


def _place(plan: SplitPlan, members: Sequence[Member], indices: Sequence[int], split: str) -> bool:
    """Put the records into ``split``; whether there were some that their history keeps out of it."""
    kept_out = False
    for index in indices:
        if may_lie(split, members[index].was):
            plan.split_of[index] = split
        else:
            plan.reasons[index] = EARLIER_SPLIT
            kept_out = True
    return kept_out
