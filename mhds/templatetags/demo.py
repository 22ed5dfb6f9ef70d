"""Tells the pages of a demo which releases it made. Reads ``demo.json`` only; no other installation has one."""

from __future__ import annotations

import json
from pathlib import Path

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def demo_releases() -> dict[str, str]:
    """Name (``published``, ``review``, ``blocked``) -> version. Never the rest of the file: it holds a token."""
    try:
        info = json.loads((Path(settings.DATA_DIR) / "demo.json").read_text(encoding="utf-8"))
        return {str(name): str(version) for name, version in info["releases"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
