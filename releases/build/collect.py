"""The first half of the build: every listed object read, redacted and spooled, and how each of them ended.

Knows no cluster, split or shard. An object that turns out damaged takes back every record it gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO

from mhds.errors import InvalidInput, StorageError
from releases.build.plan import NOT_APPROVED, Account, BuildPlan, Exclusion, ListedObject
from releases.build.reader import Join, ObjectReader, load_join
from releases.build.record import content_hash
from releases.build.roles import RoleMap
from releases.build.spool import Place, Spool
from releases.build.streams import Opener
from releases.build.types import (
    ExcludedRecord,
    Messages,
    ObjectStatus,
    ObjectVerdict,
    PiiStatus,
    Redaction,
    SourceRecord,
)
from releases.catalog.types import Source


@dataclass(slots=True)
class Held:
    """One conversation on its way to a shard; ``account`` is the position of its object's account."""

    account: int
    family: str
    key: str
    source_record: str
    content_hash: str
    place: Place
    language: str
    pii_status: str
    dedup: str = "unique"


@dataclass
class RedactionTotals:
    """What redaction cost, over the records of objects that ended as read."""

    replaced: Counter[str] = field(default_factory=Counter)
    by_family: dict[str, Counter[str]] = field(default_factory=dict)
    records: int = 0
    chars_before: int = 0
    chars_after: int = 0
    crisis_before: int = 0
    crisis_after: int = 0

    def add(self, family: str, redaction: Redaction) -> None:
        self.replaced.update(redaction.replaced)
        self.by_family.setdefault(family, Counter()).update(redaction.replaced)
        self.records += redaction.pii_status is PiiStatus.SCRUBBED
        self.chars_before += redaction.chars_before
        self.chars_after += redaction.chars_after
        self.crisis_before += redaction.crisis_terms_before
        self.crisis_after += redaction.crisis_terms_after

    def as_json(self) -> dict[str, object]:
        return {
            "records_scrubbed": self.records,
            "replaced": dict(sorted(self.replaced.items())),
            "by_family": {name: dict(sorted(counts.items())) for name, counts in sorted(self.by_family.items())},
            "chars_before": self.chars_before,
            "chars_after": self.chars_after,
            "crisis_terms_before": self.crisis_before,
            "crisis_terms_after": self.crisis_after,
        }


def read_questions(
    open_object: Callable[[str], AbstractContextManager[BinaryIO]], key: str, field_name: str
) -> Mapping[str, Messages]:
    """The questions of a join; none where the object is damaged.

    The object is refused by name in its own turn and blocks there; its answers end as ``no_user_turn``.
    """
    with Opener(open_object, key) as opener:
        try:
            return load_join(opener, field_name)
        except InvalidInput:
            return {}


class Collector:
    """Reads objects in the order of the snapshot. After ``run``: accounts, exclusions, held records and totals."""

    def __init__(self, plan: BuildPlan, spool: Spool) -> None:
        self.plan, self.spool = plan, spool
        self.accounts: list[Account] = []
        self.exclusions: list[Exclusion] = []
        self.held: list[Held] = []
        self.redaction = RedactionTotals()
        self.aliases = 0
        self.roles = RoleMap(plan.catalog.roles)
        self._joins: dict[str, Mapping[str, Messages]] = {}
        self._listed = set[str]()

    def run(self) -> None:
        done = 0
        objects = list(self.plan.objects)
        self._listed = {listed.key for listed in objects}
        for listed in objects:
            account = self._account(listed)
            self.accounts.append(account)
            if account.source and account.status == "":
                _ObjectPass(self, listed, account).run()
            done += listed.size
            self.plan.progress(len(self.held), done)

    def _account(self, listed: ListedObject) -> Account:
        """Where an object stands before it is opened; an empty status means *may be read*."""
        shown = self.plan.alias(listed.key)
        self.aliases += shown != listed.key
        found = self.plan.catalog.family_of(listed.key)
        if found is None:
            return Account(
                shown, "", "", ObjectStatus.OUTSIDE, "outside_every_family", "", None, listed.size, listed.etag
            )
        source = self.plan.catalog.source_of(listed.key, found[0].id)
        doubt = self.plan.standing(source) if source else "no source of the catalog covers this key"
        account = Account(shown, found[0].id, source.id if source else "", "", "", "", None, listed.size, listed.etag)
        if doubt:
            account.status, account.reason, account.detail = ObjectStatus.REFUSED, NOT_APPROVED, doubt
        return account

    def join_of(self, source: Source) -> Join | None:
        """The questions of a source, read once; None where the catalog declares no join or the object is not there."""
        if source.join is None:
            return None
        key = source.prefix + source.join.questions
        if key not in self._listed:
            return None
        if source.id not in self._joins:
            self._joins[source.id] = read_questions(self.plan.open_object, key, source.join.on)
        return Join(source.join.on, self._joins[source.id])


class _ObjectPass:
    """One object through its reader; nothing of it is kept unless it ends as read."""

    def __init__(self, collector: Collector, listed: ListedObject, account: Account) -> None:
        self.collector, self.plan, self.spool = collector, collector.plan, collector.spool
        self.listed, self.account = listed, account
        self.source = collector.plan.catalog.source_by_id[account.source]
        self.held: list[Held] = []
        self.exclusions: list[Exclusion] = []
        self.redactions: list[Redaction] = []
        self.records = 0

    def run(self) -> None:
        start = self.spool.end
        try:
            verdict = self._read()
        except StorageError as error:
            verdict = ObjectVerdict(ObjectStatus.REFUSED, "unreadable", error.message[:200])
        account = self.account
        account.status, account.reason, account.detail = verdict.status, verdict.reason, verdict.detail
        account.offset, account.shape, account.personas = verdict.offset, verdict.shape, verdict.personas
        account.ignored_fields = dict(sorted(verdict.ignored_fields.items()))
        if verdict.status is ObjectStatus.READ:
            self._keep()
        else:
            self.spool.rewind(start)

    def _keep(self) -> None:
        self.account.records_in = self.records
        self.account.excluded = Counter(one.reason for one in self.exclusions)
        self.collector.held += self.held
        self.collector.exclusions += self.exclusions
        for redaction in self.redactions:
            self.collector.redaction.add(self.account.family, redaction)

    def _read(self) -> ObjectVerdict:
        with Opener(self.plan.open_object, self.listed.key) as opener:
            join = self.collector.join_of(self.source)
            reader = ObjectReader(opener, self.listed.key, self.collector.roles, join=join)
            for item in reader:
                self.records += 1
                if isinstance(item, ExcludedRecord):
                    self._exclude(item.source_record, item.reason, item.detail, item.offset)
                else:
                    self._take(item)
            size, self.account.sha256 = opener.finish()
        if size != self.listed.size:
            return ObjectVerdict(
                ObjectStatus.REFUSED, "changed_since_inventory", f"{size} bytes read, {self.listed.size} listed"
            )
        return reader.verdict

    def _exclude(self, record: str, reason: str, detail: str = "", offset: int | None = None) -> None:
        self.exclusions.append(Exclusion(self.account.key, record, reason, detail, offset))

    def _take(self, record: SourceRecord) -> None:
        listed = self.plan.catalog.languages
        language, _confidence = self.plan.language.detect(record.messages)
        if language not in listed:
            self._exclude(record.source_record, "language_not_listed", language)
            return
        redaction = self.plan.redactor.redact(record.messages, language)
        if redaction.pii_status is PiiStatus.REQUIRES_REVIEW:
            self._exclude(record.source_record, "requires_review")
            return
        if redaction.pii_status is PiiStatus.SCRUBBED:
            # The language that ships is that of the released text: what the scan will find again.
            language, _confidence = self.plan.language.detect(redaction.messages)
            if language not in listed:
                self._exclude(record.source_record, "language_not_listed", language)
                return
        self.redactions.append(redaction)
        self._hold(record.source_record, redaction, language)

    def _hold(self, source_record: str, redaction: Redaction, language: str) -> None:
        self.held.append(
            Held(
                account=len(self.collector.accounts) - 1,
                family=self.account.family,
                key=self.account.key,
                source_record=source_record,
                content_hash=content_hash(redaction.messages),
                place=self.spool.append(redaction.messages),
                language=language,
                pii_status=redaction.pii_status,
            )
        )
