"""What happened to a candidate and who had a hand in it, read together in one query. Knows no page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import CharField, F, IntegerField, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from releases.models import Candidate, CandidateEvent, Contribution

Row = tuple[int, str, UUID | None, str, str, str, str, datetime]


@dataclass(frozen=True, slots=True)
class Event:
    """One move, with who made it by name; nobody in particular is empty."""

    action: str
    from_state: str
    to_state: str
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hand:
    how: str
    user: UUID | None
    name: str


def of(candidate: Candidate) -> tuple[list[Event], list[Hand]]:
    """The moves, newest first, and the contributions, oldest first. A move has a number, a contribution has none."""
    rows: list[Row] = list(_events(candidate).union(_hands(candidate), all=True))
    moves = sorted((row for row in rows if row[0]), key=lambda row: row[0], reverse=True)
    hands = sorted((row for row in rows if not row[0]), key=lambda row: (row[7], row[1]))
    return [Event(row[1], row[4], row[5], row[3], row[6], row[7]) for row in moves], [Hand(*row[1:4]) for row in hands]


def _name(person: str) -> Coalesce:
    """As ``str(user)``: the name, else the e-mail."""
    return Coalesce(NullIf(F(f"{person}__name"), Value("")), F(f"{person}__email"), Value(""), output_field=CharField())


def _events(candidate: Candidate) -> QuerySet[CandidateEvent, Row]:
    return (
        CandidateEvent.objects.filter(candidate=candidate)
        .order_by()
        .annotate(number=F("seq"), who=_name("actor"), whose=F("actor"), word=F("action"), when=F("at"))
        .values_list("number", "word", "whose", "who", "from_state", "to_state", "reason", "when")
    )


def _hands(candidate: Candidate) -> QuerySet[Contribution, Row]:
    none = Value("", output_field=CharField())
    number = Value(0, output_field=IntegerField())
    return (
        Contribution.objects.filter(candidate=candidate)
        .annotate(
            number=number,
            who=_name("user"),
            whose=F("user"),
            word=F("how"),
            none1=none,
            none2=none,
            none3=none,
            when=F("at"),
        )
        .values_list("number", "word", "whose", "who", "none1", "none2", "none3", "when")
    )
