"""Which of equal records is kept. Pure; the order is the catalog's, so that every machine keeps the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from releases.build.collect import Held
from releases.catalog.types import Family


def natural(source_record: str) -> tuple[int, ...]:
    """``"12.1"`` sorts after ``"9"``: positions are numbers."""
    return tuple(int(part) for part in source_record.split("."))


def rank(held: Held, order: Mapping[str, int]) -> tuple[int, bytes, tuple[int, ...]]:
    """Smallest first: the catalog's order of families, then source key, then position."""
    return order[held.family], held.key.encode(), natural(held.source_record)


def exact_duplicates(
    held: Sequence[Held], families: Sequence[Family], alive: Sequence[int]
) -> tuple[list[int], dict[int, int]]:
    """(indices kept, excluded index -> kept index): one record of each content hash; a ``test_only`` copy wins."""
    order = {family.id: position for position, family in enumerate(families)}
    held_out = {family.id for family in families if family.holdout == "test_only"}
    groups: dict[str, list[int]] = {}
    for index in alive:
        groups.setdefault(held[index].content_hash, []).append(index)
    kept, replaced = [], {}
    for indices in groups.values():
        best = min(indices, key=lambda i: (held[i].family not in held_out, *rank(held[i], order)))
        kept.append(best)
        replaced.update({index: best for index in indices if index != best})
    return sorted(kept), replaced


def near_duplicates(
    held: Sequence[Held], families: Sequence[Family], kept: Sequence[int], pairs: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Excluded index -> kept index for families that say ``near_duplicates = "drop"``.

    ``pairs`` index into ``kept``. Greedy in rank order: a record goes when a better-ranked near-duplicate of it stays.
    """
    drop = {family.id for family in families if family.near_duplicates == "drop"}
    order = {family.id: position for position, family in enumerate(families)}
    neighbours: dict[int, set[int]] = {}
    for first, second in pairs:
        one, other = kept[first], kept[second]
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    dropped: dict[int, int] = {}
    for index in sorted(neighbours, key=lambda i: rank(held[i], order)):
        if held[index].family not in drop:
            continue
        better = [
            other
            for other in neighbours[index]
            if other not in dropped and rank(held[other], order) < rank(held[index], order)
        ]
        if better:
            dropped[index] = min(better, key=lambda i: rank(held[i], order))
    return dropped
