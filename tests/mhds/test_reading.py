"""What was read once during a safe request is not read again, and nothing of it outlives the request."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from mhds.models import User
from mhds.reading import ReadOnce, once

pytestmark = pytest.mark.access
reads: list[tuple[object, ...]] = []


@once
def looked(user: User, *rest: str, when: str | None = None) -> int:
    reads.append((user.pk, *rest, when))
    return len(reads)


def ask(method: str, user: User, other: User) -> list[int]:
    """The numbers of the reads that one request makes of the same thing, and of three others."""

    def view(_request: HttpRequest) -> HttpResponse:
        found = [looked(user), looked(user), looked(user, when=None), looked(other), looked(user, "more")]
        return HttpResponse(" ".join(map(str, [*found, looked(user, when="later")])))

    reads.clear()
    answer = ReadOnce(view)(RequestFactory().generic(method, "/"))
    return [int(word) for word in answer.content.split()]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_safe_request_reads_each_thing_once(method):
    assert ask(method, User(), User()) == [1, 1, 1, 2, 3, 4]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_may_write_reads_afresh_each_time(method):
    assert ask(method, User(), User()) == [1, 2, 3, 4, 5, 6]


def test_nothing_outlives_the_request_also_not_one_that_failed():
    user = User()
    assert ask("GET", user, User())[0] == 1
    assert ask("GET", user, User())[0] == 1
    assert (looked(user), looked(user)) == (5, 6)

    def fails(_request: HttpRequest) -> HttpResponse:
        looked(user)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ReadOnce(fails)(RequestFactory().get("/"))
    assert looked(user) == 8
