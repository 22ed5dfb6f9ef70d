"""What the bucket was measured to hold, and whether that is enough to publish to it. Knows no candidate.

Levels as numbers, as the manifest says them: 0 nobody measured, 1 is C, 2 is B, 3 is A.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mhds import audit
from mhds.errors import ConfigurationError
from mhds.storage.base import ObjectStore
from mhds.storage.doctor import DoctorReport, Examinable, examine
from releases.models import StorageMeasurement

LEVELS = ("0", "C", "B", "A")
LASTS = timedelta(days=7)


def demanded(url: str) -> int:
    """The level that publishing to the bucket needs: as set, else B on s3:// and none for a directory."""
    word = settings.MHDS_STORAGE_LEVEL.upper() or ("B" if url.startswith("s3://") else "0")
    if word not in LEVELS:
        raise ConfigurationError(
            f"MHDS_STORAGE_LEVEL is {word!r}", hint="Use A, B, C, or 0 to demand nothing of the bucket."
        )
    return LEVELS.index(word)


def measured(url: str) -> StorageMeasurement | None:
    """The newest measurement of this very bucket."""
    return StorageMeasurement.objects.filter(bucket=_name(url)).order_by("measured_at", "pk").last()


def level_of(url: str) -> int:
    found = measured(url)
    return LEVELS.index(found.level) if found is not None else 0


def doubts(url: str, now: datetime) -> Iterator[str]:
    """Why the bucket may not be published to, by its level: never measured, too long ago, or too low."""
    needed = demanded(url)
    if not needed:
        return
    found = measured(url)
    if found is None:
        yield f"nobody measured the bucket, level {LEVELS[needed]} is demanded: run manage.py doctor"
    elif not timedelta(0) <= now - found.measured_at <= LASTS:
        yield f"the bucket was measured on {found.measured_at:%Y-%m-%d}, a week is allowed: run manage.py doctor"
    elif LEVELS.index(found.level) < needed:
        yield f"the bucket holds level {found.level}, level {LEVELS[needed]} is demanded"


def measure(bucket: Examinable, url: str) -> DoctorReport:
    """Probe the bucket and keep what was seen."""
    report = examine(bucket)
    with transaction.atomic():
        StorageMeasurement.objects.create(
            bucket=_name(url), level=report.level, report=report.as_json(), measured_at=timezone.now()
        )
        audit.record(None, "storage.measured", f"bucket:{_name(url)[:16]}", level=report.level)
    return report


def answers(source: ObjectStore) -> bool:
    """The source is read only, so all that can be asked is whether it lists: raises StorageError where it does not."""
    next(source.list(""), None)
    return True


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
