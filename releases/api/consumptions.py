"""What training runs report: each report once, by its Idempotency-Key. Owns that rule; knows no HTTP status."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from mhds import audit
from releases.api.errors import KeyMissing, KeyReused, WrongRelease
from releases.api.reading import publication, utc
from releases.models import Consumption, Publication, ServiceToken

LONGEST_KEY = 200


def check_key(key: str | None) -> str:
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise KeyMissing(
            f"This call needs an Idempotency-Key of 1 to {LONGEST_KEY} printable characters.",
            hint="Use the run's own id: a retry with the same key counts once.",
        )
    return key


def record(token: ServiceToken, key: str, report: Mapping[str, Any]) -> tuple[Consumption, bool]:
    """(the row, whether it is new). KeyReused where the key stands for another report, WrongRelease, 404 of a release.

    A release withdrawn meanwhile still takes reports: who read it must be told.
    """
    digest = _digest(report)
    existing = _earlier(token, key, digest)
    if existing is not None:
        return existing, False
    found = publication(report["version"], withdrawn_too=True)
    _check(found, report)
    try:
        with transaction.atomic():
            row = Consumption.objects.create(
                publication=found,
                token=token,
                idempotency_key=key,
                body_sha256=digest,
                run_id=report["run_id"],
                records=report["records"],
                by_family=dict(sorted(report["by_family"].items())),
                order_sha256=report["order_sha256"],
            )
            audit.record(None, "release.consumed", f"publication:{found.pk}", token=str(token.pk), records=row.records)
    except IntegrityError:
        # The same key at the same time: whoever came first is the answer.
        earlier = _earlier(token, key, digest)
        if earlier is None:
            raise
        return earlier, False
    return row, True


def _digest(report: Mapping[str, Any]) -> str:
    return hashlib.sha256(audit.canonical(report)).hexdigest()


def _earlier(token: ServiceToken, key: str, digest: str) -> Consumption | None:
    row = Consumption.objects.filter(token=token, idempotency_key=key).select_related("publication").first()
    if row is not None and row.body_sha256 != digest:
        raise KeyReused("This Idempotency-Key was used for another report.", hint="Use a key of its own for each run.")
    return row


def _check(found: Publication, report: Mapping[str, Any]) -> None:
    for name in ("content_digest", "manifest_sha256"):
        if report[name] != getattr(found, name):
            raise WrongRelease(
                f"{name}: {found.version} has {getattr(found, name)}, the report says {report[name]}.",
                hint="The run did not read the published release.",
            )
    families = {row["family"] for row in found.files if row["role"] == "data"}
    if not set(report["by_family"]) <= families:
        raise WrongRelease(f"by_family names families that {found.version} does not hold.")


def answer(row: Consumption) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "run_id": row.run_id,
        "version": row.publication.version,
        "records": row.records,
        "by_family": row.by_family,
        "recorded_at": utc(row.at),
    }
