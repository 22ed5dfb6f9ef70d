"""What reading an object can come to before any shape is looked at. Knows bytes and reasons, no conversations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mhds.errors import InvalidInput
from releases.build.strict import MAX_RECORD_BYTES

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one object, in bytes. ``ratio`` (plain to packed) counts only beyond ``ratio_floor`` plain bytes.

    ``plain_bytes`` bounds what a packed object may grow to. A CSV row over ``record_bytes`` is a bad record; over
    ``csv_line_bytes`` the place where the next row starts is no longer certain, and the object is refused.
    """

    record_bytes: int = MAX_RECORD_BYTES
    csv_line_bytes: int = 16 * MIB
    plain_bytes: int = 64 * 1024 * MIB
    ratio: int = 200
    ratio_floor: int = 16 * MIB
    group_bytes: int = 32 * MIB


class Refused(InvalidInput):
    """The object cannot be read as a whole; ``offset`` counts plain bytes of the object."""

    code = "object-refused"

    def __init__(self, reason: str, offset: int | None = None, detail: str = "") -> None:
        super().__init__(f"object refused: {reason}" + (f" at byte {offset}" if offset is not None else ""))
        self.reason = reason
        self.offset = offset
        self.detail = detail


class NotConversation(InvalidInput):
    """The object is readable and holds no conversations (documentation, code, a notebook)."""

    code = "not-conversation"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a conversation object: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RawValue:
    """One entry as its container holds it. ``index`` is what a ``source_record`` starts with.

    ``part`` marks a piece of an entry that is too large to be read at once: it need not hold a conversation.
    """

    index: str
    value: object
    offset: int | None = None
    part: bool = False


@dataclass(frozen=True, slots=True)
class BadValue:
    """An entry that cannot be parsed; the entries after it can."""

    index: str
    reason: str
    offset: int | None = None


Raw = RawValue | BadValue


@dataclass(slots=True)
class Notes:
    """Names of source fields that nothing used. Odd names are pooled: a field name may itself be text."""

    ignored: Counter[str] = field(default_factory=Counter)

    def ignore(self, name: str) -> None:
        known = len(name) <= 40 and name.isprintable() and name.replace(" ", "_").replace("-", "_").isidentifier()
        room = name in self.ignored or len(self.ignored) < 200
        self.ignored[name if known and room else "(other)"] += 1
