"""The training side: reads a published release by its prefix or through the API, and refuses what was not signed off.

Needs the standard library, ``cryptography`` and, for S3 only, ``boto3``; knows nothing of the server.
"""

from __future__ import annotations

from mhds.client.api import Api, ChannelState
from mhds.client.errors import (
    ClientError,
    DemoRefused,
    DigestMismatch,
    EvidenceMissing,
    FileMissing,
    IntegrityError,
    ManifestInvalid,
    NotPublished,
    ReleaseWithdrawn,
    SignatureRefused,
    StateMismatch,
    StorageForbidden,
    StorageMissing,
    StorageUnavailable,
    StorageUnreadable,
    TransportError,
    UsageError,
)
from mhds.client.release import Release
from mhds.client.sample import Sample
from mhds.client.verify import Verification

__all__ = [
    "Api",
    "ChannelState",
    "ClientError",
    "DemoRefused",
    "DigestMismatch",
    "EvidenceMissing",
    "FileMissing",
    "IntegrityError",
    "ManifestInvalid",
    "NotPublished",
    "Release",
    "ReleaseWithdrawn",
    "Sample",
    "SignatureRefused",
    "StateMismatch",
    "StorageForbidden",
    "StorageMissing",
    "StorageUnavailable",
    "StorageUnreadable",
    "TransportError",
    "UsageError",
    "Verification",
]
