"""One source object as conversations and exclusions, with a verdict on the object. Knows no store and no catalog.

Every record that the object holds is yielded exactly once. Memory is bounded by ``Limits``, not by the object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mhds.errors import InvalidInput
from releases.build.containers import Opened, OpenStream, open_values
from releases.build.fields import Fields, WrongType
from releases.build.find import Found, find_all
from releases.build.groups import Groups
from releases.build.join import Join, join_key
from releases.build.outcome import BadValue, Limits, NotConversation, Notes, Raw, RawValue, Refused
from releases.build.roles import RoleMap
from releases.build.settle import settle
from releases.build.shapes import others, utterances
from releases.build.shapes.base import Context, Talk, is_turn
from releases.build.shapes.prompts import is_prompt
from releases.build.sniff import Container
from releases.build.types import ExcludedRecord, Message, Messages, ObjectStatus, ObjectVerdict, SourceRecord

__all__ = ["Join", "Limits", "ObjectReader", "load_join"]

Item = SourceRecord | ExcludedRecord


@dataclass(slots=True)
class _Tally:
    """What is known of the object so far. ``unplaced`` are runs of entries that no shape took (first, last)."""

    notes: Notes = field(default_factory=Notes)
    shapes: set[str] = field(default_factory=set)
    personas: int = 0
    values: int = 0
    bad: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    unplaced: list[tuple[int, int]] = field(default_factory=list)

    def unplace(self, index: int) -> None:
        if self.unplaced and self.unplaced[-1][1] == index - 1:
            self.unplaced[-1] = (self.unplaced[-1][0], index)
        else:
            self.unplaced.append((index, index))


class ObjectReader:
    """Iterate once, then ask for ``verdict``. ``open_stream`` gives the object's bytes as they are stored.

    Where the verdict is not READ, what was yielded must be dropped by the caller.
    """

    def __init__(
        self,
        open_stream: OpenStream,
        key: str,
        roles: RoleMap,
        *,
        join: Join | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
    ) -> None:
        self._open_stream = open_stream
        self._key = key
        self._context = Context(roles, join)
        self._limits = limits
        self._tally = _Tally()
        self._verdict: ObjectVerdict | None = None

    @property
    def verdict(self) -> ObjectVerdict:
        if self._verdict is None:
            raise InvalidInput("the verdict on an object is known when all of it has been read")
        return self._verdict

    def __iter__(self) -> Iterator[Item]:
        self._tally, self._verdict = _Tally(), None
        try:
            with self._open_stream() as stream:
                yield from self._items(open_values(stream, self._key, self._limits, self._tally.notes, is_turn))
            self._verdict = self._conclude()
        except Refused as error:
            self._verdict = ObjectVerdict(ObjectStatus.REFUSED, error.reason, error.detail, error.offset)
        except NotConversation as error:
            self._verdict = ObjectVerdict(ObjectStatus.NOT_CONVERSATION, error.reason)

    # -- values

    def _items(self, opened: Opened) -> Iterator[Item]:
        groups = Groups(self._limits)
        for raw in opened.values:
            self._tally.values += 1
            if isinstance(raw, BadValue):
                self._tally.bad += 1
                yield ExcludedRecord(raw.index, "bad_record", raw.reason, raw.offset)
            elif (row := self._row(raw, opened.container)) is not None:
                yield from self._flush()
                yield from self._settled(groups.add(row, raw.index, raw.offset))
            else:
                yield from self._record(raw)
        yield from self._settled(groups.rest())

    def _row(self, raw: RawValue, container: Container) -> utterances.Row | None:
        """A row of an utterance. In a document only with a conversation id: a list of turns is one value there."""
        if not isinstance(raw.value, dict) or raw.part:
            return None
        fields = Fields(raw.value)
        try:
            row = utterances.row_of(fields)
        except WrongType:
            return None
        if row is None or (container is Container.DOCUMENT and not row.group):
            return None
        self._matched(utterances.NAME, others.count_personas(fields), fields.unused())
        return row

    def _settled(self, talks: Iterator[tuple[str, Talk]]) -> Iterator[Item]:
        for index, talk in talks:
            yield settle(talk, index, None, self._context.roles)

    def _record(self, raw: RawValue) -> Iterator[Item]:
        nothing = True
        for found in find_all(raw.value, raw.index, self._context):
            nothing = False
            yield from self._found(found, raw.offset)
        if nothing:
            yield from self._unplaced(raw)

    def _found(self, found: Found, offset: int | None) -> Iterator[Item]:
        yield from self._flush()
        self._matched(found.shape, found.personas, found.ignored)
        if found.reason:
            yield ExcludedRecord(found.index, "bad_record", found.reason, offset)
        for talk in found.talks:
            yield settle(talk, found.index, offset, self._context.roles)

    def _matched(self, shape: str, personas: int, ignored: tuple[str, ...] | list[str]) -> None:
        self._tally.shapes.add(shape)
        self._tally.personas += personas
        for name in ignored:
            self._tally.notes.ignore(name)

    # -- entries that no shape takes

    def _unplaced(self, raw: RawValue) -> Iterator[Item]:
        """Among conversations such an entry is a bad record; an object of nothing else is judged at its end."""
        tally = self._tally
        if raw.part:
            return
        kind = others.kind_of(raw.value)
        tally.kinds[kind] += 1
        tally.unplace(int(raw.index))
        if tally.shapes:
            yield from self._flush()

    def _flush(self) -> Iterator[Item]:
        runs, self._tally.unplaced = self._tally.unplaced, []
        for first, last in runs:
            for index in range(first, last + 1):
                yield ExcludedRecord(str(index), "bad_record", others.UNKNOWN)

    def _conclude(self) -> ObjectVerdict:
        tally = self._tally
        if not tally.values:
            raise Refused("no_records")
        if tally.shapes or (tally.bad and not tally.kinds):
            return self._read_verdict()
        kinds = tally.kinds
        if not kinds or set(kinds) == {"empty"}:
            raise Refused("no_records")
        if kinds[others.UNKNOWN]:
            raise Refused(others.UNKNOWN, detail=f"{kinds[others.UNKNOWN]} of {tally.values} entries")
        reason = min(kinds, key=lambda kind: (-kinds[kind], kind))
        return ObjectVerdict(ObjectStatus.NOT_CONVERSATION, reason, personas=kinds["persona_profile"])

    def _read_verdict(self) -> ObjectVerdict:
        tally = self._tally
        ignored = dict(sorted(tally.notes.ignored.items()))
        shape = ",".join(sorted(tally.shapes))
        return ObjectVerdict(ObjectStatus.READ, shape=shape, personas=tally.personas, ignored_fields=ignored)


def load_join(open_stream: OpenStream, on: str, *, limits: Limits = Limits()) -> Mapping[str, Messages]:  # noqa: B008  # frozen
    """The questions of an object by the text of their field ``on``, each as user turns; memory grows with them.

    Raises ``InvalidInput`` where the object cannot be read to its end or two different questions share an id.
    """
    questions: dict[str, Messages] = {}
    with open_stream() as stream:
        for raw in open_values(stream, "", limits, Notes(), is_turn).values:
            name, messages = _question(raw, on)
            if not name or not messages:
                continue
            if questions.setdefault(name, messages) != messages:
                raise InvalidInput(f"two questions share one {on} (entry {raw.index})", hint="mend the questions file")
    return questions


def _question(raw: Raw, on: str) -> tuple[str, Messages]:
    if not isinstance(raw, RawValue) or not isinstance(raw.value, dict):
        return "", ()
    fields = Fields(raw.value)
    for name in ("turns", "prompts", "question", "prompt", "text", "questiontext"):
        asked = fields.get(name)
        if is_prompt(asked):
            texts = asked if isinstance(asked, list) else [asked]
            return join_key(fields.named(on)), tuple(Message("user", str(text)) for text in texts if text)
    return "", ()
