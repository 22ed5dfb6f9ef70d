"""What every template may say about the installation it runs in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def installation(_request: HttpRequest) -> dict[str, Any]:
    return {"is_demo": settings.DEMO, "is_embedded": settings.EMBEDDED, "support_url": settings.MHDS_SUPPORT_URL}
