"""Conversations rendered to ``<|im_start|>`` text; a system block after a turn opens the next. Knows one text."""

from __future__ import annotations

import re

from releases.build.fields import WrongType
from releases.build.shapes.base import Talk, Turn

MARK = "<|im_start|>"
_BLOCK = re.compile(r"<\|im_start\|>[ \t]*([^\n<]{0,40})\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL)


def split_rendered(text: str) -> list[Talk] | None:
    if MARK not in text:
        return None
    blocks = _BLOCK.findall(text)
    if len(blocks) != text.count(MARK):
        raise WrongType("broken_rendering")
    talks: list[list[Turn]] = []
    for speaker, said in blocks:
        if not talks or (speaker.strip() == "system" and talks[-1]):
            talks.append([])
        talks[-1].append(Turn(speaker.strip(), said.removesuffix("\n")))
    return [Talk(turns, f".{at}" if len(talks) > 1 else "") for at, turns in enumerate(talks)]
