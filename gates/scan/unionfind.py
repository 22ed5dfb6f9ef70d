"""Disjoint sets over 0..n-1, nothing else."""

from __future__ import annotations


class UnionFind:
    """The root of a set is its smallest member, so the outcome does not depend on the order of the unions."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def union(self, a: int, b: int) -> None:
        low, high = sorted((self.find(a), self.find(b)))
        self._parent[high] = low
