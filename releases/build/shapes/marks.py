"""Texts that hold a whole dialogue with speaker marks (``User 1:``, ``来访者：``). Knows role words, no container."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from releases.build.roles import MAX_WORD, RoleMap, nameable
from releases.build.shapes.base import Talk, Turn

# A mark may be dressed as a list item or in bold: "* User 1: ", "**Client:** ".
_DRESS = r"[*#>_• \t-]*+"
_COLON = r"[*_ \t]*[:：][*_]*"
_ANY_MARK = re.compile(rf"^{_DRESS}([^\W\d_][^:：\n*,.，。!?！？]{{0,{MAX_WORD - 1}}}){_COLON}", re.MULTILINE)
_OFTEN = 3


@lru_cache(maxsize=32)
def _known_marks(words: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for marks at the start of a line, and for marks after any white space."""
    either = "|".join(r"\s+".join(map(re.escape, word.split())) for word in words)
    line = re.compile(rf"^{_DRESS}({either}){_COLON}", re.MULTILINE | re.IGNORECASE)
    return line, re.compile(rf"(?<!\S)({either})[ \t]*[:：]", re.IGNORECASE)


def starts_with_mark(text: str, roles: RoleMap) -> bool:
    return _known_marks(roles.words)[0].match(text.lstrip()) is not None


def split_dialogue(text: str, roles: RoleMap) -> Talk | None:
    """The dialogue of a text with at least two marks of mapped speakers, or with marks of a speaker nobody mapped.

    A line without a mark continues the turn before it: lists, stage directions and blank lines are part of what was
    said. Text before the first mark belongs to no speaker; it is kept in front of the first turn.
    """
    line_marks, inline_marks = _known_marks(roles.words)
    stranger = _stranger(text, roles)
    marks = list(line_marks.finditer(text))
    if len(marks) < 2 and line_marks.match(text.lstrip()):
        marks = list(inline_marks.finditer(text)) or marks
    if len(marks) < 2:
        return _unmapped(stranger) if stranger and _is_dialogue(text) else None
    if stranger is not None:
        return _unmapped(stranger)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    turns = [Turn(mark.group(1), text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True)]
    opening = text[: marks[0].start()].strip()
    if opening:
        turns[0] = Turn(turns[0].speaker, f"{opening}\n{turns[0].text}")
    return Talk(turns)


def _unmapped(speaker: str) -> Talk:
    return Talk(reason="unmapped_role", detail=nameable(speaker))


def _stranger(text: str, roles: RoleMap) -> str | None:
    """A word that marks turns and has no role: a known role word, or any word that marks three lines or more."""
    met = Counter(mark.group(1).strip() for mark in _ANY_MARK.finditer(text))
    strangers = [word for word in met if roles.role(word) is None]
    return next((word for word in strangers if nameable(word) or met[word] >= _OFTEN), None)


def has_repeated_marks(text: str) -> bool:
    """Some word marks more than one line: the text may be a dialogue whose speakers nobody mapped."""
    met = Counter(mark.group(1).strip() for mark in _ANY_MARK.finditer(text))
    return any(count > 1 for count in met.values())


def _is_dialogue(text: str) -> bool:
    """Two or more words alternate as marks, and at least half of the lines that hold text begin with one of them."""
    met = Counter(mark.group(1).strip() for mark in _ANY_MARK.finditer(text))
    repeated = [count for count in met.values() if count > 1]
    lines = sum(1 for line in text.splitlines() if line.strip())
    return len(repeated) > 1 and 2 * sum(repeated) >= lines
