"""Every error the project raises on purpose, as one tree.

    MhdsError
    ├── ConfigurationError      settings missing or contradictory; the process refuses to start
    ├── InvalidInput            what was given cannot be used: says which, where and what to do
    │   └── CatalogInvalid
    ├── NotAllowed              this person may not do this (403)
    ├── NotFound                no such thing for this reader (404)
    ├── Conflict                the world moved on, or the act is not legal now (409)
    │   ├── IllegalTransition
    │   ├── Stale               expected_digest or version does not match
    │   └── ObjectConflict      create-once met other bytes; compare-and-swap lost
    ├── Blocked                 evidence is missing or failed; carries the list of blockers (409)
    ├── DetectorFailed          a detector could not finish (timeout, crash): ERROR, never "no findings"
    └── StorageError
        ├── ObjectMissing
        ├── StorageUnavailable  worth a retry
        ├── StorageRefused      never worth a retry: read-only, permission, bad key
        └── ObjectDamaged       bytes differ from what was frozen

Messages are written for the person who must act: what happened, where, what to do. They never hold conversation text.
"""

from __future__ import annotations

from collections.abc import Sequence


class MhdsError(Exception):
    """Base of the tree. ``code`` is stable and machine-readable; ``status`` is the HTTP status at the edge."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(MhdsError):
    code = "configuration"


class InvalidInput(MhdsError):
    code = "invalid-input"
    status = 422


class CatalogInvalid(InvalidInput):
    code = "catalog-invalid"


class NotAllowed(MhdsError):
    code = "not-allowed"
    status = 403


class NotFound(MhdsError):
    code = "not-found"
    status = 404


class Conflict(MhdsError):
    code = "conflict"
    status = 409


class IllegalTransition(Conflict):
    code = "illegal-transition"


class Stale(Conflict):
    code = "stale"


class ObjectConflict(Conflict):
    code = "object-conflict"


class Blocked(MhdsError):
    """Something required is absent, failed or outdated; ``blockers`` lists every reason in words."""

    code = "blocked"
    status = 409

    def __init__(self, message: str, *, blockers: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.blockers = list(blockers)


class DetectorFailed(MhdsError):
    code = "detector-failed"


class StorageError(MhdsError):
    code = "storage"
    status = 503


class ObjectMissing(StorageError):
    code = "object-missing"
    status = 404


class StorageUnavailable(StorageError):
    code = "storage-unavailable"


class StorageRefused(StorageError):
    code = "storage-refused"
    status = 403


class ObjectDamaged(StorageError):
    code = "object-damaged"
    status = 409
