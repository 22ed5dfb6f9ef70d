"""What the API refuses with, beyond the common tree: stable codes that clients decide by."""

from __future__ import annotations

from mhds.errors import Conflict, InvalidInput, MhdsError, NotAllowed, NotFound


class NoRelease(NotFound):
    """The channel names nothing yet."""

    code = "no-release"


class ReleaseNotFound(NotFound):
    """No such release for a service token: unknown and unpublished look the same."""

    code = "release-not-found"


class ReleaseWithdrawn(MhdsError):
    code = "release-withdrawn"
    status = 410


class FileNotListed(NotFound):
    code = "file-not-listed"


class UrlRefused(NotAllowed):
    """A signed URL that is not ours, or is older than it may be."""

    code = "url-refused"


class KeyReused(Conflict):
    """An Idempotency-Key came back with another body."""

    code = "idempotency-key-reused"


class KeyMissing(InvalidInput):
    code = "idempotency-key-missing"
    status = 400


class WrongRelease(Conflict):
    """A report names digests that are not those of the release it names."""

    code = "digest-mismatch"


class RangeRefused(InvalidInput):
    code = "range-not-satisfiable"
    status = 416


class Changed(Conflict):
    code = "precondition-failed"
    status = 412
