"""The endless stream of training records: turns the schedule's draws into verified records; decides no order itself."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from mhds.client.model import Manifest
from mhds.client.routing import Routing
from mhds.client.sampler import Schedule
from mhds.client.shards import Record, Shards


class Sample:
    """Iterates over records; ``position`` is the one integer to resume from once every rank has read as many."""

    def __init__(
        self, shards: Shards, manifest: Manifest, routing: Routing, *,
        split: str, seed: int, start: int, rank: int, world: int,
    ) -> None:  # fmt: skip
        self._shards = shards
        self._entries = {name: manifest.data_files(split, name) for name in routing.weights}
        self._ends = {name: list(accumulate(e.records or 0 for e in found)) for name, found in self._entries.items()}
        self.identity = f"{manifest.content.digest} sha256:{routing.digest} {split} {seed}"
        counts = {name: ends[-1] for name, ends in self._ends.items() if ends}
        self._schedule = Schedule(self.identity, seed, routing.weights, counts)
        self._rank, self._world = rank, world
        self.position = start

    @property
    def mix(self) -> dict[str, int]:
        """Draws by family in each window; families without records in this split are not in it."""
        return self._schedule.mix

    @property
    def window(self) -> int:
        return self._schedule.window

    def __iter__(self) -> Sample:
        return self

    def __next__(self) -> Record:
        draw = self._schedule.draw(self.position + self._rank)
        ends = self._ends[draw.family]
        shard = bisect_right(ends, draw.number)
        first = ends[shard - 1] if shard else 0
        record = self._shards.record(self._entries[draw.family][shard], draw.number - first)
        self.position += self._world
        return record
