"""Invented scores of the demo's reviewers: complete, plausible, agreeing, the same each time, and marked as invented.

Nobody reads a record for them, and every note that a rubric allows says so. Knows no database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from reviews.rubrics import NOT_APPLICABLE, Dimension, NotePolicy, Rubric

NOTE = "Demo: an invented score. Nobody read this conversation for it."
_BEST_BP, _SHIFT_BP, _ABSENT_BP, _WEAK_BP = 6_500, 1_500, 5_500, 400


def invented(rubric: Rubric, record_id: str, who: str, *, risk: bool) -> dict[str, Any]:
    """A score that can be submitted. Two people differ by one point at most, so that none of them needs a third.

    ``risk``: the record carries a crisis tag, so that the dimensions of risk apply.
    """
    together = {name for group in rubric.na_together for name in group}
    scores: dict[str, int | str] = {}
    answers: dict[str, str] = {}
    weak = _weak(rubric, record_id)
    for dimension in rubric.dimensions:
        name = dimension.id
        if _absent(dimension, record_id, together, risk=risk):
            scores[name] = NOT_APPLICABLE
            if dimension.follow_up:
                answers[dimension.follow_up.id] = "no"
        else:
            scores[name] = _number(dimension, record_id, who, weak=name == weak)
    payload: dict[str, Any] = {"scores": scores}
    if answers:
        payload["answers"] = answers
    if rubric.criticals:
        payload["criticals"] = []
    if rubric.finding_kinds:
        payload["findings"] = []
    if rubric.note is not NotePolicy.FORBIDDEN:
        payload["note"] = NOTE
    return payload


def _weak(rubric: Rubric, record_id: str) -> str:
    """One dimension of a few records is a little weak; two would make the record unacceptable."""
    always = [one.id for one in rubric.dimensions if not one.na_when and one.high > one.minimum + 1]
    if not always or _draw("weak", record_id) >= _WEAK_BP:
        return ""
    return always[_draw("which", record_id) % len(always)]


def _absent(dimension: Dimension, record_id: str, together: Collection[str], *, risk: bool) -> bool:
    """Whether the dimension does not apply: a fact of the record, so that it is the same for everybody."""
    if not dimension.na_when:
        return False
    return not risk if dimension.id in together else _draw("absent", record_id, dimension.id) < _ABSENT_BP


def _number(dimension: Dimension, record_id: str, who: str, *, weak: bool) -> int:
    top = dimension.high
    if top == dimension.minimum:
        return top
    shift = _draw("shift", record_id, dimension.id, who) < _SHIFT_BP
    if weak:
        return top - 2 if shift else top - 1
    best = _draw("best", record_id, dimension.id) < _BEST_BP
    return top if best is not shift else top - 1


def _draw(*parts: str) -> int:
    """0 to 9,999, always the same for the same parts."""
    digest = hashlib.sha256("\n".join(("mhds.demo.score/1", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000
