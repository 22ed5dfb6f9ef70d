"""The doorbell: tells a worker that a row is waiting. A lost ring is harmless, the reconciler rings again."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from mhds.celery import app

log = logging.getLogger(__name__)
TASK = "mhds.work"


def ring(item_id: UUID) -> None:
    """Send the id. A broker that is down costs a delay, never the request: the row is committed already."""
    try:
        app.send_task(TASK, args=[str(item_id)], argsrepr="", kwargsrepr="", retry=False)
    except (OperationalError, OSError) as error:
        log.warning("bell not rung for %s (%s); the reconciler will", item_id, type(error).__name__)
