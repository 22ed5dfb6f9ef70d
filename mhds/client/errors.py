"""Every way in which a release can be refused by the training side, with the exit code of each; knows no transport.

    ClientError (3)
    ├── UsageError (2)            the caller asked for something impossible
    ├── IntegrityError (3)        what is there is not what was frozen and signed off
    │   ├── ManifestInvalid       the manifest breaks its own contract
    │   ├── DigestMismatch        bytes, digests or counts differ; carries both values
    │   ├── FileMissing           the manifest lists a file that is not there
    │   ├── EvidenceMissing       a gate or a signature is absent, failed or bound to other bytes
    │   ├── DemoRefused           demo data, and nobody allowed it
    │   └── StateMismatch         resume state of another release
    ├── SignatureRefused (4)
    ├── ReleaseWithdrawn (5)
    ├── NotPublished (6)
    └── TransportError (7)
        ├── StorageMissing        no such object (callers say what its absence means)
        ├── StorageForbidden      credentials or policy
        ├── StorageUnavailable    worth a retry; raised once the retries are spent
        └── StorageUnreadable     neither an object nor an absence

Messages name paths, digests and counts. They never hold text of a record.
"""

from __future__ import annotations

from mhds.errors import MhdsError


class ClientError(MhdsError):
    """Base of the tree; ``exit_code`` is what the smoke test ends with."""

    code = "client-error"
    exit_code = 3


class UsageError(ClientError):
    code = "usage"
    status = 422
    exit_code = 2


class IntegrityError(ClientError):
    code = "integrity"
    status = 409


class ManifestInvalid(IntegrityError):
    code = "manifest-invalid"


class DigestMismatch(IntegrityError):
    """``expected`` is what the manifest, pointer or caller says; ``actual`` is what was found."""

    code = "digest-mismatch"

    def __init__(self, what: str, *, expected: str | int, actual: str | int, hint: str = "") -> None:
        super().__init__(f"{what}: expected {expected}, found {actual}", hint=hint)
        self.what = what
        self.expected = expected
        self.actual = actual


class FileMissing(IntegrityError):
    code = "file-missing"


class EvidenceMissing(IntegrityError):
    code = "evidence-missing"


class DemoRefused(IntegrityError):
    code = "demo-release"


class StateMismatch(IntegrityError):
    code = "state-mismatch"


class SignatureRefused(ClientError):
    code = "signature-refused"
    status = 409
    exit_code = 4


class ReleaseWithdrawn(ClientError):
    code = "release-withdrawn"
    status = 410
    exit_code = 5


class NotPublished(ClientError):
    code = "not-published"
    status = 404
    exit_code = 6


class TransportError(ClientError):
    code = "storage"
    status = 503
    exit_code = 7


class StorageMissing(TransportError):
    code = "storage-missing"


class StorageForbidden(TransportError):
    code = "storage-forbidden"


class StorageUnavailable(TransportError):
    code = "storage-unavailable"


class StorageUnreadable(TransportError):
    code = "storage-unreadable"
