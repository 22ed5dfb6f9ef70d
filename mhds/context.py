"""What every template may say about the installation it runs in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from mhds.models import User
from mhds.roles import Role


def installation(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    return {
        "keeps_accounts": isinstance(user, User) and user.holds(Role.ADMIN),
        "is_demo": settings.DEMO,
        "is_embedded": settings.EMBEDDED,
        "support_url": settings.MHDS_SUPPORT_URL,
    }
