"""What the pages of reviews share: the candidate of an address, the numbers of a form. Knows no score."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from mhds.errors import InvalidInput
from releases import board
from releases.models import Candidate


def candidate_of(request: HttpRequest, version: str) -> Candidate:
    """The candidate asked for by number, else the one that the release shows; 404 where there is none."""
    number = request.GET.get("candidate") or request.POST.get("candidate") or ""
    if number and not (number.isascii() and number.isdigit()):
        raise Http404
    related = Candidate.objects.select_related("release", "catalog_version", "snapshot")
    candidates = list(related.filter(release__version=version).order_by("number"))
    found = next((one for one in candidates if one.number == int(number)), None) if number else board.shown(candidates)
    if found is None:
        raise Http404
    return found


def number_of(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"The {what} is a whole number.", hint="Reload the page and try again.")
    return int(text)
