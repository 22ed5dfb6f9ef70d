"""What publishing asks for and how it stands, for the page that asks. The rule itself is in ``services``: reads only.

``reasons`` are the ones that ``start_publish`` would give this person now; ``checks`` are the same things with numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mhds.errors import MhdsError
from mhds.models import User
from mhds.reading import once
from mhds.roles import Role
from releases import accounts, evidence, storage_level, stores
from releases.channels import LATEST
from releases.evidence import Check
from releases.lifecycle import MOVES, Action, Evidence, Facts, State
from releases.models import Candidate, Channel, Publication
from releases.publishing import attachments, standing
from releases.publishing.plan import RELEASES

WHOSE = {
    "frozen": "a dataset engineer builds it",
    "gates": "the dataset engineer, the lead or compliance, on the pages of the gates",
    "rounds": "the release lead, on the page of the rounds",
    "signatures": "who signs",
    "storage": "compliance confirms sources, an administrator keeps the bucket",
}
FROM_ABOVE = ("Gates", "Rounds", "Signatures", "Waivers", "Escalations")


@dataclass(frozen=True, slots=True)
class Reason:
    words: str
    whose: str


def reasons(candidate: Candidate, user: User, collected: Sequence[Evidence], others: int) -> list[Reason]:
    """Why this person cannot publish this candidate now; empty for a lead for whom everything holds."""
    found = []
    if candidate.state not in MOVES[Action.PUBLISH].sources:
        found.append(Reason(f"the candidate is {candidate.state.replace('_', ' ')}, not approved", "see its release"))
    facts = Facts(tuple(collected))
    found += [Reason(words, whose) for name, whose in WHOSE.items() for words in facts.blockers(name)]
    other = Candidate.objects.filter(state=State.PUBLISHING).exclude(pk=candidate.pk).select_related("release").first()
    if other is not None:
        found.append(Reason(f"{other.release.version} is being published", "it has to end first"))
    return found + list(_about(candidate, user, others))


def _about(candidate: Candidate, user: User, others: int) -> Iterator[Reason]:
    if not user.holds(Role.LEAD):
        yield Reason("publishing is for a release lead", "a release lead who had no hand in the candidate")
        return
    if had_a_hand(candidate, user):
        yield Reason("you contributed to this candidate", "another release lead")
    if others < 2:
        yield Reason("fewer than two people other than you have signed", "two more people sign")


def other_signers(candidate: Candidate, user: User) -> int:
    """How many people beside this one have signed, each signature current."""
    return len({one.person for one in attachments.signatures_of(candidate)} - {str(user.pk)})


def checks(
    candidate: Candidate, user: User, collected: Sequence[Evidence], *, others: int, written: int | None
) -> list[Check]:
    """Every line of the table; what no app answers for does not hold, what nobody measures is said to be so."""
    missing = {one.name: one.missing for one in collected}
    given = [check for name in sorted(evidence.CHECKERS) for check in evidence.CHECKERS[name](candidate, missing)]
    found = {check.name: check for check in given}
    above = [found.get(name, Check(name, "nobody answers for this", holds=False)) for name in FROM_ABOVE]
    return [
        *above,
        _publisher(candidate, user, others),
        *_bucket(candidate, collected),
        _prefix(candidate, written),
        *_unmeasured(),
    ]


@once
def had_a_hand(candidate: Candidate, user: User) -> bool:
    return candidate.contributions.filter(user=user).exists()


def _publisher(candidate: Candidate, user: User, others: int) -> Check:
    if not user.holds(Role.LEAD):
        return Check("Publisher", "a release lead; you are not one", holds=False)
    contributed = had_a_hand(candidate, user)
    words = "you contributed to it" if contributed else "you contributed nothing"
    return Check("Publisher", f"{words}; {others} other people signed", not contributed and others >= 2)


def _bucket(candidate: Candidate, collected: Sequence[Evidence]) -> Iterator[Check]:
    doubts = next((one.missing for one in collected if one.name == "storage"), ("nobody has asked it",))
    bucket = stores.bucket()
    try:
        used = {row["source"] for row in accounts.read_lines(bucket, candidate.objects_key) if row["records_out"]}
        confirmed = len(used) - len(standing.unconfirmed_sources(candidate, bucket))
    except MhdsError as error:
        yield Check("Sources", f"the account of the objects cannot be read: {error.message}", holds=False)
    else:
        on_s3 = bucket.url.startswith("s3://")
        words = f"{confirmed} of {len(used)} confirmed in the browser"
        yield Check(
            "Sources", words if on_s3 else f"{words}; asked for on s3:// only", confirmed == len(used) or not on_s3
        )
    yield Check("Bucket", "; ".join(doubts) or "answers, and this candidate may be written to it", not doubts)


def _prefix(candidate: Candidate, written: int | None) -> Check:
    if written is None:
        return Check("Prefix", "the bucket does not say what lies there", holds=False)
    words = f"{written:,} object{'' if written == 1 else 's'}"
    own = candidate.state in {State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN}
    if own:
        return Check("Prefix", f"{words}, written by this publication", holds=True)
    return Check("Prefix", f"empty: {words}" if not written else f"{words} lie there already", not written)


def _unmeasured() -> Iterator[Check]:
    """Said as it is: the manifest carries this level, and no signature of a key yet."""
    found = storage_level.measured(stores.bucket().url)
    words = f"{found} as measured; the manifest says it" if found else "not measured; the manifest says level 0"
    yield Check("Storage level", words, holds=None)
    yield Check("Signing key", "not measured; the manifest carries no signature of a key yet", holds=None)


def prefix_of(candidate: Candidate) -> str:
    return f"{RELEASES}{candidate.release.version}/"


@dataclass(frozen=True, slots=True)
class ChannelMoves:
    """Where ``latest`` stands, and where publishing takes it."""

    version: str
    sequence: int
    next_sequence: int


def channel() -> ChannelMoves:
    row = Channel.objects.filter(name=LATEST).select_related("publication").defer("publication__files").first()
    sequence = row.sequence if row else 0
    publication: Publication | None = row.publication if row else None
    return ChannelMoves(publication.version if publication else "", sequence, sequence + 1)
