"""``manage.py doctor``: what the stores really hold, measured; publishing goes by the level of the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mhds.commands import Command as BaseCommand
from mhds.storage.doctor import Examinable
from releases import storage_level, stores


class Command(BaseCommand):
    help = "Measure the bucket with probes that are removed again, see whether the source answers, keep the level."
    step = "doctor"

    def run(self, **_options: Any) -> Mapping[str, Any]:
        bucket = stores.bucket()
        report = storage_level.measure(cast("Examinable", bucket), bucket.url)
        return {
            "level": report.level,
            "demanded": storage_level.LEVELS[storage_level.demanded(bucket.url)],
            "source_answers": storage_level.answers(stores.source()),
            "bucket": report.as_json(),
        }
