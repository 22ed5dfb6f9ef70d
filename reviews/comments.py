"""What a draft and its comments may hold: people's words and places in the text, never the text itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mhds.errors import InvalidInput
from reviews.rubrics import NotePolicy, Rubric
from reviews.rubrics.check import FIELDS

DRAFT_LIMIT = 32_768  # bytes of JSON: a note of 4,000 characters and every mark fit with room to spare
COMMENTS, WORDS = 50, 2000
SHA256 = re.compile(r"[0-9a-f]{64}")
KEYS = frozenset({"turn", "text", "start", "end", "sha256"})


def check_draft(payload: object) -> None:
    """A draft may be unfinished, but holds only the fields of a score and is of bounded size."""
    if not isinstance(payload, Mapping) or set(payload) - set(FIELDS):
        raise InvalidInput("A draft holds the fields of a score and nothing else.")
    if len(json.dumps(payload).encode()) > DRAFT_LIMIT:
        raise InvalidInput(f"A draft holds at most {DRAFT_LIMIT:,} bytes.", hint="Shorten the note.")


def check_comments(rubric: Rubric, comments: Sequence[Mapping[str, Any]], turns: int) -> list[dict[str, Any]]:
    """The comments as they are stored. A selection is kept as offsets and hash; its words stay in the bucket."""
    if comments and rubric.note is NotePolicy.FORBIDDEN:
        raise InvalidInput("No comments in this round: never type what identifies a person.")
    if len(comments) > COMMENTS:
        raise InvalidInput(f"At most {COMMENTS} comments on one record.")
    return [_checked(one, turns) for one in comments]


def _checked(comment: object, turns: int) -> dict[str, Any]:
    if not isinstance(comment, Mapping) or set(comment) - KEYS:
        raise InvalidInput("A comment holds turn, text, start, end and sha256, and nothing else.")
    turn, text = comment.get("turn"), comment.get("text")
    if type(turn) is not int or not 1 <= turn <= turns:
        raise InvalidInput("A comment needs the turn where it stands.")
    if not isinstance(text, str) or not text.strip() or len(text) > WORDS:
        raise InvalidInput(f"A comment has 1 to {WORDS:,} characters.")
    return {"turn": turn, "text": text.strip(), **_selection(comment)}


def _selection(comment: Mapping[str, Any]) -> dict[str, Any]:
    start, end, digest = comment.get("start"), comment.get("end"), comment.get("sha256") or ""
    if start is None and end is None and not digest:
        return {"start": None, "end": None, "sha256": ""}
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise InvalidInput("A selection runs from one character of its turn to a later one.")
    if not isinstance(digest, str) or not SHA256.fullmatch(digest):
        raise InvalidInput("A selection is kept by the SHA-256 of its words, not by the words.")
    return {"start": start, "end": end, "sha256": digest}
