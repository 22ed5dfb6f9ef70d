"""Rubrics as data: what a reviewer is asked, and whether an answer is complete. Knows no Django and no people."""

from __future__ import annotations

from reviews.rubrics.check import NOT_APPLICABLE, UNSURE, FieldError, validate_score
from reviews.rubrics.model import (
    Anchor,
    Critical,
    Dimension,
    FindingKind,
    FollowUp,
    NotePolicy,
    Rubric,
    load,
    parse,
    rubric_ids,
)

__all__ = [
    "NOT_APPLICABLE",
    "UNSURE",
    "Anchor",
    "Critical",
    "Dimension",
    "FieldError",
    "FindingKind",
    "FollowUp",
    "NotePolicy",
    "Rubric",
    "load",
    "parse",
    "rubric_ids",
    "validate_score",
]
