"""Counts what each page asks of the database: ``python -m tests.pages.count_queries HANDLE PATH...``, as JSON."""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
django.setup()

from django.db import connection  # noqa: E402  Django first
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from mhds.models import User  # noqa: E402

if __name__ == "__main__":
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(email=f"{sys.argv[1]}@demo.example.org"))
    counts = {}
    for path in sys.argv[2:]:
        with CaptureQueriesContext(connection) as asked:
            status = client.get(path).status_code
        counts[path] = [status, len(asked)]
    sys.stdout.write(json.dumps(counts))
