"""What the doctor measured on the bucket, as rows. Shapes only; what a level opens is known in ``storage_level``."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mhds.models import AppendOnly


class StorageMeasurement(AppendOnly):
    """One measurement of one bucket; the newest counts. ``bucket`` is a hash of its URL: no path, no host."""

    bucket = models.CharField(max_length=64, db_index=True)
    level = models.CharField(max_length=1)
    report = models.JSONField()
    measured_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(level__in=("A", "B", "C")), name="storage_level_known"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}, {self.measured_at:%Y-%m-%d}"
