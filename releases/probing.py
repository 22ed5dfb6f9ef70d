"""Coverage before a build: objects of each family are opened only until its evidence rules are proved or refuted.

The matrix that a build makes (from reading everything) replaces this one; the coverage gate looks at that one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mhds.errors import ObjectMissing, StorageError
from mhds.storage.base import ObjectStore
from releases import coverage, inventory, services, stores
from releases.build.collect import read_questions
from releases.build.plan import NOT_APPROVED
from releases.build.reader import Join as ReaderJoin
from releases.build.reader import ObjectReader
from releases.build.roles import RoleMap
from releases.build.streams import Opener
from releases.build.types import Messages, ObjectStatus, SourceRecord
from releases.catalog.types import Catalog, Family, Source
from releases.models import Snapshot


class _Prober:
    def __init__(self, catalog: Catalog, source: ObjectStore) -> None:
        self.catalog, self.source = catalog, source
        self.roles = RoleMap(catalog.roles)
        self.tallies: dict[str, coverage.FamilyTally] = {}
        self.standing = {one.id: services.standing(one) for one in catalog.sources}
        self.joins: dict[str, Mapping[str, Messages]] = {}
        # Every key in one of the four ways. One that was not opened counts as read: nothing speaks against it so far.
        self.objects = dict.fromkeys(ObjectStatus, 0)

    def see(self, listed: inventory.Listed) -> None:
        found = self.catalog.family_of(listed.key)
        if found is None:
            self.objects[ObjectStatus.OUTSIDE] += 1
            return
        family, prefix = found
        tally = self.tallies.setdefault(family.id, coverage.FamilyTally())
        source = self.catalog.source_of(listed.key, family.id)
        if source is None or self.standing[source.id]:
            self.objects[ObjectStatus.REFUSED] += 1
            tally.add(coverage.Seen(listed.key, listed.size, prefix, refused=NOT_APPROVED))
        elif coverage.status(family, tally) == coverage.PRESENT:
            self.objects[ObjectStatus.READ] += 1
            tally.add(coverage.Seen(listed.key, listed.size, prefix))
        else:
            tally.add(self._open(listed, prefix, family, source))

    def _open(self, listed: inventory.Listed, prefix: str, family: Family, source: Source) -> coverage.Seen:
        """Read until the first conversation; a persona profile needs the whole object."""
        with Opener(self.source.read, listed.key) as opener:
            try:
                reader = ObjectReader(opener, listed.key, self.roles, join=self._join(source))
                personas_asked = any(rule.kind == "persona_profile" for rule in family.evidence)
                conversations = 0
                for item in reader:
                    conversations += isinstance(item, SourceRecord)
                    if conversations and not personas_asked:
                        self.objects[ObjectStatus.READ] += 1
                        return coverage.Seen(listed.key, listed.size, prefix, conversations)
                verdict = reader.verdict
            except StorageError:
                self.objects[ObjectStatus.REFUSED] += 1
                return coverage.Seen(listed.key, listed.size, prefix, refused="unreadable")
        self.objects[verdict.status] += 1
        if verdict.status is ObjectStatus.REFUSED or not (conversations or verdict.personas):
            return coverage.Seen(listed.key, listed.size, prefix, refused=verdict.reason or "no_conversation")
        return coverage.Seen(listed.key, listed.size, prefix, conversations, verdict.personas)

    def _join(self, source: Source) -> ReaderJoin | None:
        if source.join is None:
            return None
        if source.id not in self.joins:
            key = source.prefix + source.join.questions
            try:
                self.joins[source.id] = read_questions(self.source.read, key, source.join.on)
            except ObjectMissing:
                return None
        return ReaderJoin(source.join.on, self.joins[source.id])


def probe_coverage(snapshot: Snapshot, catalog: Catalog, alias: Callable[[str], str]) -> Snapshot:
    """Write the provisional matrix into the snapshot; ``alias`` gives the keys as they may be shown and stored."""
    prober = _Prober(catalog, stores.source())
    for listed in inventory.read_listing(stores.bucket(), snapshot.listing):
        prober.see(listed)
    for tally in prober.tallies.values():  # only the few that are listed: looking at a key costs a detector's run
        tally.counted_keys = [alias(key) for key in tally.counted_keys]
        tally.refused_keys = [{**one, "key": alias(one["key"])} for one in tally.refused_keys]
    matrix = coverage.matrix(catalog, prober.tallies, prober.objects[ObjectStatus.OUTSIDE])
    snapshot.coverage = {**matrix, "objects": {status.value: count for status, count in prober.objects.items()}}
    snapshot.save(update_fields=["coverage"])
    return snapshot
