"""The Celery application. Owns its configuration only; what work does is found by kind in ``mhds.work.run``."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
app = Celery("mhds")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("mhds.tasks",)
