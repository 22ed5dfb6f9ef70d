"""Which candidate an address means. For the pages of every app; decides nothing about who may see it."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from releases import board
from releases.models import Candidate


def candidate_of(request: HttpRequest, version: str) -> Candidate:
    """The candidate asked for by number (``candidate=2``), else the one that the release shows; 404 where none is."""
    number = request.GET.get("candidate") or request.POST.get("candidate") or ""
    related = Candidate.objects.select_related("release", "catalog_version", "snapshot", "built_by")
    candidates = list(related.filter(release__version=version).order_by("number"))
    shown = board.shown(candidates)
    found = next((one for one in candidates if str(one.number) == number), None) if number else shown
    if found is None:
        raise Http404
    return found
