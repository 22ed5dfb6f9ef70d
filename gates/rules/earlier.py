"""Where records and long messages were in earlier releases. Owns the look-up that leakage gate and build share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gates.rules.values import EarlierRelease


class History:
    """Splits by content hash and by message hash (hex), over every earlier release given."""

    def __init__(self, releases: Iterable[EarlierRelease]) -> None:
        self.by_hash: dict[str, set[str]] = defaultdict(set)
        self.by_message: dict[str, set[str]] = defaultdict(set)
        for release in releases:
            for content_hash, split in release.splits.items():
                self.by_hash[content_hash].add(split)
            for message, split in release.messages.items():
                self.by_message[message].add(split)

    def of_record(self, content_hash: str) -> set[str]:
        return set(self.by_hash.get(content_hash, ()))

    def of_messages(self, hashes: Iterable[str]) -> set[str]:
        return set[str]().union(*(self.by_message.get(one, ()) for one in hashes))
