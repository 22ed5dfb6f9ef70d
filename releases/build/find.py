"""The conversations of one raw value: shapes tried in order, at the value itself or below it. Knows no object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from releases.build.fields import Fields, WrongType
from releases.build.shapes import SHAPES
from releases.build.shapes.base import Context, Talk, is_turn, turns_of
from releases.build.shapes.cells import text_talks
from releases.build.shapes.others import count_personas


@dataclass(frozen=True, slots=True)
class Found:
    """One place with conversations: ``index`` is the entry's, with the ordinals of the members on the way down.

    ``reason`` is set where the shape is known and the entry cannot be used.
    """

    index: str
    shape: str
    talks: tuple[Talk, ...] = ()
    reason: str = ""
    personas: int = 0
    ignored: tuple[str, ...] = ()


def find_all(value: object, index: str, context: Context) -> Iterator[Found]:
    """What is recognised is not entered; what is not is, in the order of the source. Nothing: no conversation in it."""
    found = _find(value, index, context)
    if found is not None:
        yield found
        return
    children: Iterable[object] = ()
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    for ordinal, child in enumerate(children):
        if isinstance(child, dict | list):
            yield from find_all(child, f"{index}.{ordinal}", context)


def _find(value: object, index: str, context: Context) -> Found | None:
    if isinstance(value, dict):
        return _find_fields(Fields(value), index, context)
    shape, finder = ("turn_list", _list_talks) if isinstance(value, list) else ("marked_text", _text_talks)
    try:
        talks = finder(value, context)
    except WrongType as error:
        return Found(index, shape, reason=error.reason)
    return None if talks is None else Found(index, shape, tuple(talks))


def _find_fields(fields: Fields, index: str, context: Context) -> Found | None:
    for shape in SHAPES:
        fields.used.clear()
        try:
            talks = shape.find(fields, context)
        except WrongType as error:
            return Found(index, shape.name, reason=error.reason)
        if talks is not None:
            return Found(index, shape.name, tuple(talks), "", count_personas(fields), tuple(fields.unused()))
    return None


def _list_talks(value: object, _context: Context) -> list[Talk] | None:
    if not isinstance(value, list) or not value or not is_turn(value[0]):
        return None
    return [Talk(turns_of(value))]


def _text_talks(value: object, context: Context) -> list[Talk] | None:
    return text_talks(value, context) if isinstance(value, str) else None
