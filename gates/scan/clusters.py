"""The cluster: which records must share a split. Owns its one definition, for build and leakage gate; knows no split.

Two records belong together when (``domain.md`` section 5)

* they are the same (equal content hash), or near-duplicates: exact Jaccard of 5-word shingles at or over the threshold;
* they share an identical message of 20 or more words (normalised, any role but system); or
* both are one exchange (one user and one assistant message, system aside) with an identical prompt of any length.

Clusters are the connected components, named by their smallest content hash. Nothing here depends on the order of the
input: records are ranked by content hash first, and indexes of the input appear in the answer only to point at records.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gates.scan.fingerprints import Hashes64, exact_jaccard, shingle_hashes
from gates.scan.marks import ASSISTANT, SYSTEM, USER, Conversations
from gates.scan.near import Indexes, NearPair, near_pairs
from gates.scan.unionfind import UnionFind
from releases.build.types import Messages

CLUSTER_VERSION = "1"  # raise it with any change of which records belong together
DEFAULT_THRESHOLD_BP = 8_000
MESSAGE_WORDS = 20
_CAUSES_KEPT = 20
_REPEATED_KEPT = 100
_CACHED_HASHES = 4_000_000  # 32 MB of shingle hashes at most


class Cause(NamedTuple):
    """Why records hang together: ``kind`` is ``exact``, ``near``, ``message`` or ``prompt``.

    ``records`` counts the records that this very cause touches; ``item`` and ``turn`` point at one of them (turn -1:
    the whole record). ``message_hash`` is hex for ``message`` and ``prompt``, else empty.
    """

    kind: str
    message_hash: str
    records: int
    item: int
    turn: int


class RepeatedMessage(NamedTuple):
    """A message under 20 words met more than once: shown, never leakage in itself."""

    message_hash: str
    messages: int
    records: int
    words: int
    item: int
    turn: int


@dataclass(frozen=True, slots=True)
class Clustering:
    """``cluster_of[i]`` is the cluster id of item i; ``causes`` holds at most 20 for each cluster of two or more.

    ``near_pairs`` point into the input, the record with the smaller content hash first; of records with equal content
    hash one stands for all. ``jaccards`` holds, by content hashes, every exact Jaccard that had to be known, reached or
    not: give it back as ``known`` and no text is read again.
    """

    cluster_of: list[str]
    near_pairs: list[NearPair]
    causes: dict[str, tuple[Cause, ...]]
    repeated_messages: list[RepeatedMessage]
    jaccards: dict[tuple[str, str], int]


def cluster(
    items: Conversations,
    text_of: Callable[[int], Messages],
    *,
    threshold_bp: int = DEFAULT_THRESHOLD_BP,
    known: Mapping[tuple[str, str], int] | None = None,
) -> Clustering:
    """Cluster ``items``; ``text_of(i)`` is asked for item i only where a candidate pair must be verified."""
    return _Clusterer(items, text_of, threshold_bp, known or {}).run()


class _Clusterer:
    """Works on ranks: position in the order of content hashes. ``ranked[r]`` is the input index of rank r."""

    def __init__(
        self,
        items: Conversations,
        text_of: Callable[[int], Messages],
        threshold_bp: int,
        known: Mapping[tuple[str, str], int],
    ) -> None:
        self.items = items
        self.threshold_bp = threshold_bp
        self.ranked = sorted(range(len(items)), key=items.content_hash.__getitem__)
        self.names = [items.content_hash[index] for index in self.ranked]
        self.jaccards = _Jaccards(self.names, lambda rank: text_of(self.ranked[rank]), known)
        self.sets = UnionFind(len(items))
        self.causes: list[tuple[int, Cause]] = []

    def run(self) -> Clustering:
        self._join_exact()
        pairs = self._join_near()
        rank_of = np.empty(len(self.items), np.int64)
        rank_of[self.ranked] = np.arange(len(self.items))
        messages = _Rows(self.items, rank_of[self.items.message_item])
        self._join_groups("message", messages.of_long_messages())
        self._join_groups("prompt", messages.of_lone_prompts())
        clusters = [""] * len(self.items)
        for rank, index in enumerate(self.ranked):
            clusters[index] = self.names[self.sets.find(rank)]
        near = [NearPair(self.ranked[p.first], self.ranked[p.second], p.jaccard_bp) for p in pairs]
        return Clustering(clusters, near, self._named_causes(), self._repeated(messages), self.jaccards.measured)

    def _join_exact(self) -> None:
        start = 0
        for rank in range(1, len(self.names) + 1):
            if rank == len(self.names) or self.names[rank] != self.names[start]:
                for other in range(start + 1, rank):
                    self.sets.union(start, other)
                if rank - start > 1:
                    self.causes.append((start, Cause("exact", "", rank - start, self.ranked[start], -1)))
                start = rank

    def _join_near(self) -> list[NearPair]:
        firsts = np.array([r for r in range(len(self.names)) if self.sets.find(r) == r], np.int64)
        rows = np.array(self.ranked, np.int64)[firsts]

        def jaccard(a: int, b: int) -> int:
            return self.jaccards.of(int(firsts[a]), int(firsts[b]))

        found = near_pairs(self.items.signatures[rows], self.items.shingles[rows], self.threshold_bp, jaccard)
        pairs = [NearPair(int(firsts[p.first]), int(firsts[p.second]), p.jaccard_bp) for p in found]
        groups = UnionFind(len(self.names))
        for pair in pairs:
            self.sets.union(pair.first, pair.second)
            groups.union(pair.first, pair.second)
        members: dict[int, set[int]] = {}
        for pair in pairs:
            members.setdefault(groups.find(pair.first), set()).update(pair[:2])
        for first, ranks in sorted(members.items()):
            self.causes.append((first, Cause("near", "", len(ranks), self.ranked[first], -1)))
        return pairs

    def _join_groups(self, kind: str, groups: Iterator[_Group]) -> None:
        for group in groups:
            if len(group.ranks) > 1:
                first = group.ranks[0]
                for other in group.ranks[1:]:
                    self.sets.union(first, other)
                cause = Cause(kind, group.message_hash, len(group.ranks), self.ranked[first], group.turn)
                self.causes.append((first, cause))

    def _named_causes(self) -> dict[str, tuple[Cause, ...]]:
        by_cluster: dict[str, list[Cause]] = {}
        # The rank breaks ties, so the same causes are kept whatever the order of the input.
        for rank, cause in sorted(self.causes, key=lambda c: (-c[1].records, c[1].kind, c[1].message_hash, c[0])):
            by_cluster.setdefault(self.names[self.sets.find(rank)], []).append(cause)
        return {name: tuple(by_cluster[name][:_CAUSES_KEPT]) for name in sorted(by_cluster)}

    def _repeated(self, messages: _Rows) -> list[RepeatedMessage]:
        groups = sorted(messages.of_short_messages(), key=lambda g: (-g.messages, g.message_hash))[:_REPEATED_KEPT]
        return [
            RepeatedMessage(g.message_hash, g.messages, len(g.ranks), g.words, self.ranked[g.ranks[0]], g.turn)
            for g in groups
        ]


class _Group(NamedTuple):
    """Messages that say the same: distinct ranks ascending, and the turn of the first."""

    message_hash: str
    ranks: list[int]
    messages: int
    words: int
    turn: int


class _Rows:
    """The messages of all items as columns, grouped by what they say."""

    def __init__(self, items: Conversations, ranks: Indexes) -> None:
        self.items = items
        self.ranks = ranks
        self.spoken = (items.message_role != SYSTEM) & (items.message_words > 0)

    def of_long_messages(self) -> Iterator[_Group]:
        return self._grouped(self.spoken & (self.items.message_words >= MESSAGE_WORDS))

    def of_short_messages(self) -> Iterator[_Group]:
        return self._grouped(self.spoken & (self.items.message_words < MESSAGE_WORDS))

    def of_lone_prompts(self) -> Iterator[_Group]:
        owners, roles = self.items.message_item, self.items.message_role
        one = [np.bincount(owners[roles == role], minlength=len(self.items)) == 1 for role in (USER, ASSISTANT)]
        exchange = one[0] & one[1]
        return self._grouped(self.spoken & (roles == USER) & exchange[owners])

    def _grouped(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[_Group]:
        rows = np.flatnonzero(chosen)
        high, low = self.items.message_hash[rows, 0], self.items.message_hash[rows, 1]
        # Most messages occur once: one sort of half a hash leaves the few rows that are worth the full order.
        _, where, counts = np.unique(high, return_inverse=True, return_counts=True)
        some = counts[where] > 1
        rows, high, low = rows[some], high[some], low[some]
        order = np.lexsort((self.items.message_turn[rows], self.ranks[rows], low, high))
        rows, high, low = rows[order], high[order], low[order]
        cuts = np.flatnonzero((high[1:] != high[:-1]) | (low[1:] != low[:-1])) + 1
        for group in np.split(rows, cuts):
            if len(group) > 1:
                yield self._group(group)

    def _group(self, rows: Indexes) -> _Group:
        first = int(rows[0])
        return _Group(
            self.items.message_hash[first].tobytes().hex(),
            list(dict.fromkeys(self.ranks[rows].tolist())),
            len(rows),
            int(self.items.message_words[first]),
            int(self.items.message_turn[first]),
        )


class _Jaccards:
    """Exact Jaccards by rank, from what is known already or from the text; shingle hashes are kept while they fit."""

    def __init__(
        self, names: list[str], text_of: Callable[[int], Messages], known: Mapping[tuple[str, str], int]
    ) -> None:
        self.names = names
        self.text_of = text_of
        self.known = known
        self.measured: dict[tuple[str, str], int] = {}
        self._cache: OrderedDict[int, Hashes64] = OrderedDict()
        self._cached = 0

    def of(self, first: int, second: int) -> int:
        key = (self.names[first], self.names[second])
        value = self.known.get(key)
        if value is None:
            value = self.measured.get(key)
        if value is None:
            value = exact_jaccard(self._hashes(first), self._hashes(second))
        self.measured[key] = value
        return value

    def _hashes(self, rank: int) -> Hashes64:
        hashes = self._cache.pop(rank, None)
        if hashes is None:
            hashes = shingle_hashes(self.text_of(rank))
            self._cached += len(hashes)
        self._cache[rank] = hashes
        while self._cached > _CACHED_HASHES and len(self._cache) > 2:
            self._cached -= len(self._cache.popitem(last=False)[1])
        return hashes
