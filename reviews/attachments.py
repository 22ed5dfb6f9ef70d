"""What the reviews put into a release: round reports, scores without text, the sign-off record, who signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from mhds.client.model import APPROVED
from releases.models import Candidate
from releases.publishing.attachments import SIGNOFF_RECORD, Attachment, Signature
from reviews.records import release_files
from reviews.standing import standing
from reviews.states import ROLE_OF, Decision


def review_files(candidate: Candidate) -> Iterator[Attachment]:
    for path, body in release_files(candidate).items():
        if path != SIGNOFF_RECORD:
            yield Attachment(path, "review", body)


def signoff_record(candidate: Candidate) -> Iterator[Attachment]:
    yield Attachment(SIGNOFF_RECORD, "signoff", release_files(candidate)[SIGNOFF_RECORD])


def signatures(candidate: Candidate) -> Iterator[Signature]:
    """The current ones only, in the manifest's words: a lead signs as ``release_lead``, *signed* is *approved*."""
    for meaning, one in standing(candidate).items():
        if one.signature is not None and one.current and one.signature.decision == Decision.SIGNED:
            at = one.signature.signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            person, digest = str(one.signature.signer_id), one.signature.content_digest
            yield Signature(ROLE_OF[meaning].value, person, APPROVED, at, digest)
