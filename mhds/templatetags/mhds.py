"""Filters and tags that every template uses: digests, sizes, counts, icons. Presentation only."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def short_digest(value: str | None) -> str:
    """``sha256:9f2c41d08b77…`` -> ``9f2c41d0 8b77``: enough to compare by eye; the full one is in the title."""
    body = str(value or "").removeprefix("sha256:")
    return f"{body[:8]} {body[8:12]}" if body else "none"


@register.filter
def file_size(value: int | None) -> str:
    """Decimal units, as object stores count: 1 MB is 1,000,000 bytes."""
    size = float(value or 0)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""


@register.filter
def of(part: int | None, whole: int | None) -> str:
    """``n of m``: a count never stands without what it is counted from."""
    return f"{part or 0:,} of {whole or 0:,}"


@register.filter
def percent_bp(value: int | None) -> str:
    return f"{(value or 0) / 100:g} %"


@register.filter
def spaced(value: str | None) -> str:
    """Stored states carry ``_``; people read a space."""
    return str(value or "").replace("_", " ")


@register.filter
def lookup(mapping: object, key: object) -> object:
    return mapping.get(key) if isinstance(mapping, dict) else None
