"""Finds the pairs of conversations whose true Jaccard reaches a threshold. Owns banding and proof; knows no cluster.

Three sieves, each cheaper per pair than the next: LSH bands (datasketch's optimiser chooses them), the signature's own
estimate with a wide margin, and the exact Jaccard of the shingles, which alone decides. Work stays near-linear because

* where more than ``_ALL_PAIRS`` records have one and the same signature, each is compared with one of them only. A pair
  below the threshold t agrees in all 128 slots with probability under t^128 (4e-13 at 0.8), yet nothing is taken on
  trust: each member is verified against its representative, and one that fails becomes a representative itself;
* a bucket of more than ``_ALL_PAIRS`` records is not enumerated: a pair whose ends hang together already through
  verified pairs is skipped.

Clusters, and which records have a near-duplicate, are as with all pairs; outside such crowds, so are the pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import datasketch
import numpy as np
from numpy.typing import NDArray

from gates.scan.fingerprints import SLOTS, Hashes32, Hashes64
from gates.scan.unionfind import UnionFind

Indexes = NDArray[np.int64]
Jaccard = Callable[[int, int], int]

RECALL_AT_THRESHOLD = 0.998
_ALL_PAIRS = 64
_SIGMAS = 4.5
_CHUNK = 1 << 15
# Odd multipliers of a multilinear hash. A collision of two bands costs one comparison of signatures, never a verdict.
_MIX = np.random.Generator(np.random.PCG64(5)).integers(1, 2**63, SLOTS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


class NearPair(NamedTuple):
    """Two records, ``first < second``, and their exact Jaccard in basis points."""

    first: int
    second: int
    jaccard_bp: int


@lru_cache(maxsize=16)
def band_parameters(threshold_bp: int) -> tuple[int, int]:
    """(bands, rows) of datasketch's optimiser, false negatives weighted until a pair *at* the threshold is found.

    The optimiser integrates over all similarities, so its even weights find only 40 % of pairs at 0.8 exactly; the
    weight of a miss is doubled until 1 - (1 - t^rows)^bands reaches 0.998 (21 bands of 6 at 0.8).
    """
    threshold = threshold_bp / 10_000
    for halvings in range(1, 24):
        false_positive = 0.5**halvings  # a power of two: both weights sum to exactly one, as datasketch demands
        weights = (false_positive, 1 - false_positive)
        index = datasketch.MinHashLSH(threshold=threshold, num_perm=SLOTS, weights=weights)
        if 1 - (1 - threshold**index.r) ** index.b >= RECALL_AT_THRESHOLD:
            break
    return int(index.b), int(index.r)


def near_pairs(signatures: Hashes32, shingles: Indexes, threshold_bp: int, jaccard: Jaccard) -> list[NearPair]:
    """Verified pairs, sorted. ``signatures`` has shape (n, 128), ``shingles`` (n,); without shingles there is no pair.

    ``jaccard(i, j)`` gives the exact Jaccard in basis points. The result is complete up to the two economies of the
    module's first lines and the recall of the bands, and depends on nothing but the arguments.
    """
    search = _Search(signatures, shingles, threshold_bp, jaccard)
    return search.run()


class _Search:
    def __init__(self, signatures: Hashes32, shingles: Indexes, threshold_bp: int, jaccard: Jaccard) -> None:
        self.signatures = signatures
        self.shingles = shingles
        self.threshold_bp = threshold_bp
        self.jaccard = jaccard
        self.joined = UnionFind(len(signatures))
        self.found: list[NearPair] = []
        threshold = threshold_bp / 10_000
        # Standard error of a MinHash estimate at the threshold (Broder 1997), times a margin that loses 3 in a million.
        margin = _SIGMAS * math.sqrt(threshold * (1 - threshold) / SLOTS)
        self.least_equal_slots = math.floor(SLOTS * (threshold - margin))

    def run(self) -> list[NearPair]:
        kept = self._representatives()
        pairs: list[NDArray[np.int64]] = []
        crowds: list[Indexes] = []
        bands, rows = band_parameters(self.threshold_bp)
        for band in range(bands):
            columns = slice(band * rows, (band + 1) * rows)
            runs = _runs(_mixed(self.signatures, kept, columns), kept)
            pairs.extend(self._plausible(first, second) for first, second in _small_pairs(runs))
            crowds.extend(run for run in runs if len(run) > _ALL_PAIRS)
        for code in np.unique(np.concatenate(pairs)).tolist() if pairs else ():
            self._verify(*divmod(code, len(self.signatures)))
        for crowd in crowds:
            self._connect(crowd)
        return sorted(self.found)

    def _representatives(self) -> Indexes:
        """One record of each signature (and each that failed its representative), smallest index first."""
        usable = np.flatnonzero(self.shingles > 0)
        kept = np.ones(len(self.signatures), bool)
        for run in _runs(_mixed(self.signatures, usable, slice(0, SLOTS)), usable):
            members = run.tolist() if len(run) > _ALL_PAIRS else []
            while members:
                first, *rest = members
                same = [x for x in rest if np.array_equal(self.signatures[first], self.signatures[x])]
                near = {x for x in same if self._verify(first, x)}
                kept[list(near)] = False
                members = [x for x in rest if x not in near]
        return usable[kept[usable]]

    def _verify(self, first: int, second: int) -> bool:
        measured = self.jaccard(first, second)
        if measured < self.threshold_bp:
            return False
        self.found.append(NearPair(first, second, measured))
        self.joined.union(first, second)
        return True

    def _plausible(self, first: Indexes, second: Indexes) -> Indexes:
        """Codes ``first * n + second`` of the pairs that sizes and signatures allow to reach the threshold."""
        codes = [
            self._plausible_chunk(first[i : i + _CHUNK], second[i : i + _CHUNK]) for i in range(0, len(first), _CHUNK)
        ]
        return np.concatenate(codes) if codes else np.empty(0, np.int64)

    def _plausible_chunk(self, first: Indexes, second: Indexes) -> Indexes:
        # Jaccard cannot exceed the ratio of the two sizes: exact, no margin needed.
        small = np.minimum(self.shingles[first], self.shingles[second])
        large = np.maximum(self.shingles[first], self.shingles[second])
        sized = small * 10_000 >= large * self.threshold_bp
        first, second = first[sized], second[sized]
        equal = np.count_nonzero(self.signatures[first] == self.signatures[second], axis=1)
        alike = equal >= self.least_equal_slots
        low, high = np.minimum(first[alike], second[alike]), np.maximum(first[alike], second[alike])
        codes: Indexes = low * len(self.signatures) + high
        return codes

    def _connect(self, crowd: Indexes) -> None:
        """Join what hangs together in a large bucket, comparing only records that are still apart."""
        for position, pivot in enumerate(crowd.tolist()):
            rest = crowd[position + 1 :]
            roots = np.fromiter(map(self.joined.find, rest.tolist()), np.int64, len(rest))
            apart = rest[roots != self.joined.find(pivot)]
            if not len(apart) and len(np.unique(roots)) <= 1:
                return
            for code in self._plausible(np.full(len(apart), pivot), apart).tolist():
                first, second = divmod(code, len(self.signatures))
                if self.joined.find(first) != self.joined.find(second):
                    self._verify(first, second)


def _mixed(signatures: Hashes32, rows: Indexes, columns: slice) -> Hashes64:
    mixed = np.zeros(len(rows), np.uint64)
    for column in range(*columns.indices(SLOTS)):
        mixed += signatures[rows, column].astype(np.uint64) * _MIX[column]
    return mixed ^ (mixed >> np.uint64(32))


def _runs(keys: Hashes64, rows: Indexes) -> list[Indexes]:
    """Groups of two or more ``rows`` (ascending) with the same key, in order of their first row."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    repeats = ranked[1:] == ranked[:-1]
    inside = np.concatenate(([False], repeats)) | np.concatenate((repeats, [False])) if len(keys) else repeats
    members, ranked = rows[order[inside]], ranked[inside]
    cuts = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    groups = np.split(members, cuts) if len(members) else []
    return sorted(groups, key=lambda group: int(group[0]))


def _small_pairs(runs: list[Indexes]) -> Iterator[tuple[Indexes, Indexes]]:
    """All pairs of the runs that are not crowds, as columns: one block of runs of equal length at a time."""
    by_length: dict[int, list[Indexes]] = {}
    for run in runs:
        if len(run) <= _ALL_PAIRS:
            by_length.setdefault(len(run), []).append(run)
    for length in sorted(by_length):
        block = np.stack(by_length[length])
        left, right = np.triu_indices(length, k=1)
        for step in range(0, len(block), max(1, _CHUNK * 8 // len(left))):
            part = block[step : step + max(1, _CHUNK * 8 // len(left))]
            yield part[:, left].ravel(), part[:, right].ravel()
