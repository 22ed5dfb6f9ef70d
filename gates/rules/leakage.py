"""The leakage gate: no cluster lies in two splits, and nothing held out before is trained on now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gates.policy import Policy
from gates.rules.base import SHOWN, Finding, Gate, GateInputs, Outcome, conclude, many, share_bp
from gates.rules.earlier import History
from releases.build.splits import may_lie

RULES = {
    "leakage.L001": "no cluster with a record of a holdout-sensitive family lies in two splits",
    "leakage.L002": "families that are test only lie in test, those that are train only in train",
    "leakage.L003": "other families leak no more than the policy's share",
    "leakage.L004": "no record of a holdout-sensitive family contradicts the split it had in an earlier release",
    "leakage.L005": "other families contradict earlier releases no more than the policy's share",
}
ONLY = {"test_only": "test", "train_only": "train"}


@dataclass(frozen=True)
class _Rows:
    """Columns of the records, and the clusters over them."""

    families: Sequence[str]
    splits: Sequence[str]
    ids: Sequence[str]
    hashes: Sequence[str]
    clusters: Mapping[str, Sequence[int]]


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: records of the facts."""
    records = inputs.scanned.records
    members: dict[str, list[int]] = defaultdict(list)
    for item, name in enumerate(inputs.clustering(policy.near_threshold_bp).cluster_of):
        members[name].append(item)
    families, splits, ids, hashes = (
        records[name].to_pylist() for name in ("family", "split", "record_id", "content_hash")
    )
    rows = _Rows(families, splits, ids, hashes, members)
    across = {name: items for name, items in members.items() if len({rows.splits[item] for item in items}) > 1}
    history = _Against(inputs, policy)
    against = [item for name, items in sorted(members.items()) for item in history.contradictions(rows, items)]
    findings = [
        *_held(
            rows, [item for items in across.values() for item in items], inputs, policy, "leakage.L001", "across splits"
        ),
        *_misplaced(rows, inputs),
        *_held(rows, against, inputs, policy, "leakage.L004", "against earlier releases"),
    ]
    figures = {
        "clusters": len(members),
        "clusters_across_splits": len(across),
        "pairs": _pairs(rows, across),
        "earlier_releases": sorted(inputs.published),
        "fingerprints": inputs.scanned.scanner.get("fingerprints", ""),
        "known_from_earlier_releases": history.known,
        "conflicts_between_earlier_releases": history.conflicts,
        "against_earlier_releases": len(against),
        "examples": [sorted(rows.ids[item] for item in items)[:SHOWN] for _name, items in sorted(across.items())][
            :SHOWN
        ],
        "records_by_split": dict(sorted(Counter(rows.splits).items())),
    }
    return conclude(
        "leakage", inputs, examined=records.num_rows, expected=inputs.compiled, findings=findings, figures=figures
    )


def _held(
    rows: _Rows, leaked: Sequence[int], inputs: GateInputs, policy: Policy, rule: str, where: str
) -> Iterator[Finding]:
    """Zero for holdout-sensitive families, a share for the others (the rule after ``rule``'s pair)."""
    sensitive = {family.id for family in inputs.catalog.families if family.holdout_sensitive}
    sensitive |= set(rows.families) - set(inputs.catalog.family_by_id)
    lenient = {"leakage.L001": "leakage.L003", "leakage.L004": "leakage.L005"}[rule]
    touched = _touched(rows, leaked)
    for family in sorted(touched):
        items = sorted(touched[family])
        size = rows.families.count(family)
        shown = {"record_ids": sorted(rows.ids[item] for item in items[:SHOWN])}
        if family in sensitive:
            begins = many(len(items), f"record of {family} leaks", f"records of {family} leak")
            words = f"{begins} {where}, none may. Build a new candidate, or ask for a waiver."
            yield Finding(rule, words, family, len(items), shown, waivable=True)
        elif len(items) * 10_000 > policy.leakage.share_bp * size:
            words = (
                f"{share_bp(len(items), size)} of 10,000 records of {family} leak {where}, {policy.leakage.share_bp} "
                "are allowed. Build a new candidate, or ask for a waiver."
            )
            yield Finding(lenient, words, family, len(items), shown, waivable=True)


def _touched(rows: _Rows, leaked: Sequence[int]) -> dict[str, set[int]]:
    touched: dict[str, set[int]] = defaultdict(set)
    for item in leaked:
        touched[rows.families[item]].add(item)
    return touched


def _misplaced(rows: _Rows, inputs: GateInputs) -> Iterator[Finding]:
    wanted = {family.id: ONLY[family.holdout] for family in inputs.catalog.families if family.holdout in ONLY}
    wrong = Counter(
        (family, split)
        for family, split in zip(rows.families, rows.splits, strict=True)
        if wanted.get(family, split) != split
    )
    for (family, split), count in sorted(wrong.items()):
        begins = many(count, f"record of {family} lies", f"records of {family} lie")
        words = f"{begins} in {split}, all must be in {wanted[family]}. Build a new candidate."
        yield Finding("leakage.L002", words, f"{family}:{split}", count, waivable=True)


def _pairs(rows: _Rows, across: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """Pairs of records that lie in one cluster and two splits, by the two families and splits."""
    pairs = Counter[tuple[str, str]]()
    for items in across.values():
        places = Counter(f"{rows.families[item]}/{rows.splits[item]}" for item in items)
        for one, other in combinations(sorted(places), 2):
            if one.rpartition("/")[2] != other.rpartition("/")[2]:
                pairs[one, other] += places[one] * places[other]
    return [{"one": one, "other": other, "pairs": count} for (one, other), count in sorted(pairs.items())]


class _Against:
    """The candidate's clusters against the releases published before."""

    def __init__(self, inputs: GateInputs, policy: Policy) -> None:
        self.history = History(inputs.earlier)
        self.messages = _long_messages(inputs, policy) if self.history.by_message else {}
        self.known = self.conflicts = 0

    def _was(self, content_hash: str, item: int) -> set[str]:
        return self.history.of_record(content_hash) | self.history.of_messages(self.messages.get(item, ()))

    def contradictions(self, rows: _Rows, items: Sequence[int]) -> list[int]:
        """Members of a cluster that lie where its history forbids.

        Held out once stays held out in that split; trained on once never becomes test. Where earlier releases
        disagree, train is right too, and the disagreement is counted.
        """
        was = set[str]().union(*(self._was(rows.hashes[item], item) for item in items))
        if not was:
            return []
        self.known += 1
        self.conflicts += len(was) > 1
        return [item for item in items if not may_lie(rows.splits[item], was)]


def _long_messages(inputs: GateInputs, policy: Policy) -> dict[int, list[str]]:
    """Hashes of the messages, system's aside, that are long enough to tell, by position of the record."""
    messages, records = inputs.scanned.messages, inputs.scanned.records
    place = {
        key: item
        for item, key in enumerate(zip(records["shard"].to_pylist(), records["ordinal"].to_pylist(), strict=True))
    }
    columns = [messages[name].to_pylist() for name in ("shard", "ordinal", "role", "words", "message_hash")]
    found: dict[int, list[str]] = defaultdict(list)
    for shard, ordinal, role, words, message in zip(*columns, strict=True):
        if role != "system" and words >= policy.leakage.message_words:
            found[place[shard, ordinal]].append(message.hex())
    return found


GATE = Gate("leakage", "L", "Nothing held out is trained on", RULES, judge)
