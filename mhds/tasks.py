"""The one Celery task: an id in, nothing out."""

from __future__ import annotations

from uuid import UUID

import mhds.handlers  # noqa: F401  registers what each kind of work does
from mhds.celery import app
from mhds.work import bell, run


@app.task(name=bell.TASK, ignore_result=True)
def work(item_id: str) -> None:
    run.run(UUID(item_id))
