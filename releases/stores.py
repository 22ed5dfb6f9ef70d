"""The two stores of the installation: the source, read only, and the bucket that the product writes."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from mhds.storage import open_store
from mhds.storage.base import ObjectStore


@cache
def _open(url: str, name: str, *, read_only: bool) -> ObjectStore:
    return open_store(url, name=name or None, read_only=read_only)


def source() -> ObjectStore:
    return _open(settings.MHDS_SOURCE_URL, settings.MHDS_SOURCE_NAME, read_only=True)


def bucket() -> ObjectStore:
    return _open(settings.MHDS_BUCKET_URL, "", read_only=False)
