"""One look for one page: what was read once during a GET is not read again. Knows no model and never a write.

A page, its panels and its checks ask for the same evidence; within one safe request they see one state of it. Any other
request, and everything outside a request, reads afresh each time: a move is decided on what the database says now.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

SAFE = frozenset({"GET", "HEAD"})
_seen: ContextVar[dict[Any, Any] | None] = ContextVar("seen", default=None)
M = TypeVar("M", bound=Model)
P = ParamSpec("P")
R = TypeVar("R")


def once(read: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
    """``read`` of the same row with the same further arguments is done once in a safe request.

    They are hashable, and a keyword of None is the same as none given.
    """

    @wraps(read)
    def looked(subject: M, /, *rest: P.args, **named: P.kwargs) -> R:
        seen = _seen.get()
        if seen is None:
            return read(subject, *rest, **named)
        given = tuple(sorted((name, value) for name, value in named.items() if value is not None))
        key = (read, type(subject), subject.pk, rest, given)
        if key not in seen:
            seen[key] = read(subject, *rest, **named)
        found: R = seen[key]
        return found

    return looked


class ReadOnce:
    """Begins with nothing seen and forgets everything at the end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _seen.set({} if request.method in SAFE else None)
        try:
            return self.get_response(request)
        finally:
            _seen.reset(token)
