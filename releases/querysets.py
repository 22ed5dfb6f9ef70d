"""Reads in the domain's words. Time is an argument; nothing here writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Max

from releases.lifecycle import State

if TYPE_CHECKING:
    from releases.models import Candidate, Release

SETTLED = [State.REJECTED, State.ABANDONED]


class ReleaseQuerySet(models.QuerySet["Release"]):
    def newest_first(self) -> ReleaseQuerySet:
        return self.order_by("-created_at", "-version")


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def published(self) -> CandidateQuerySet:
        return self.filter(state=State.PUBLISHED)

    def ever_published(self) -> CandidateQuerySet:
        """Published at some time, withdrawn or not: its val and test records stay where they were."""
        return self.filter(state__in=[State.PUBLISHED, State.WITHDRAWN])

    def frozen(self) -> CandidateQuerySet:
        return self.exclude(content_digest="").filter(same_as=None)

    def shown_for(self, release: Release) -> Candidate | None:
        """The candidate a release shows: the published one, else the newest that is not a repeat."""
        mine = self.filter(release=release, same_as=None)
        done = mine.filter(state__in=[State.PUBLISHED, State.WITHDRAWN, State.PUBLISHING]).first()
        return done or mine.order_by("-number").first()

    def next_number(self, release: Release) -> int:
        return (self.filter(release=release).aggregate(last=Max("number"))["last"] or 0) + 1
