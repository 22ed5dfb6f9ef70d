"""Reads bytes as one object, for the tests of the reader: in one go or in awkward bites."""

from __future__ import annotations

import io
import json
from typing import Any

from releases.build.join import Join
from releases.build.outcome import Limits
from releases.build.reader import ObjectReader
from releases.build.roles import RoleMap
from releases.build.types import ExcludedRecord, ObjectVerdict, SourceRecord

ROLES = RoleMap(
    {
        "client": "user", "human": "user", "user 1": "user", "来访者": "user", "seeker": "user",
        "counselor": "assistant", "therapist": "assistant", "gpt": "assistant", "user 2": "assistant",
        "心理咨询师": "assistant",
    }
)  # fmt: skip


class Bites(io.RawIOBase):
    """A stream that gives at most ``size`` bytes a read, as a network does."""

    def __init__(self, body: bytes, size: int) -> None:
        super().__init__()
        self._body, self._size, self._at = body, size, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = self._size if size < 0 else min(size, self._size)
        self._at += size
        return self._body[self._at - size : self._at]


class Read:
    """What came of an object: items in order, the two kinds apart, the verdict."""

    def __init__(self, items: list[SourceRecord | ExcludedRecord], verdict: ObjectVerdict) -> None:
        self.items, self.verdict = items, verdict
        self.records = [item for item in items if isinstance(item, SourceRecord)]
        self.excluded = [item for item in items if isinstance(item, ExcludedRecord)]

    @property
    def turns(self) -> list[list[tuple[str, str]]]:
        return [[(role, content) for role, content in record.messages] for record in self.records]

    @property
    def reasons(self) -> list[str]:
        return [item.reason for item in self.excluded]

    @property
    def outcome(self) -> tuple[str, str]:
        return self.verdict.status.value, self.verdict.reason


def read(
    body: bytes | str,
    key: str = "family/object",
    *,
    roles: RoleMap = ROLES,
    join: Join | None = None,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    bite: int = 1 << 20,
) -> Read:
    raw = body.encode() if isinstance(body, str) else body
    reader = ObjectReader(lambda: Bites(raw, bite), key, roles, join=join, limits=limits)  # type: ignore[arg-type,return-value]  # a RawIOBase reads bytes
    items = list(reader)
    return Read(items, reader.verdict)


def jsonl(*values: Any) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def chatml(user: str = "I cannot sleep", assistant: str = "Since when?") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


PAIR = [("user", "I cannot sleep"), ("assistant", "Since when?")]
