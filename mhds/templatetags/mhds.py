"""Filters and tags that every template uses: digests, sizes, counts, icons. Presentation only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sized
from dataclasses import asdict, is_dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

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


# word -> (pill class, icon): a state is icon shape + word + colour, never colour alone (design, principle 4).
PILLS: dict[str, tuple[str, str]] = {
    "PASS": ("pass", "pass"),
    "FAIL": ("fail", "fail"),
    "ERROR": ("error", "error"),
    "present": ("pass", "pass"),
    "partial": ("waiting", "waiting"),
    "missing": ("fail", "fail"),
    "waived": ("waived", "waived"),
    "draft": ("draft", "waiting"),
    "building": ("running", "running"),
    "gating": ("running", "running"),
    "blocked": ("blocked", "fail"),
    "in_review": ("open", "running"),
    "in_signoff": ("open", "running"),
    "approved": ("pass", "pass"),
    "publishing": ("running", "running"),
    "published": ("published", "pass"),
    "withdrawn": ("withdrawn", "fail"),
    "rejected": ("fail", "fail"),
    "abandoned": ("outdated", "outdated"),
    "outdated": ("outdated", "outdated"),
    "current": ("current", "seal"),
    "declined": ("fail", "fail"),
    "running": ("running", "running"),
    "waiting": ("waiting", "waiting"),
    "done": ("pass", "pass"),
    "failed": ("fail", "fail"),
}


@register.inclusion_tag("_pill.html")
def pill(word: str, instead: str = "") -> dict[str, str]:
    style, shape = PILLS.get(word, ("waiting", "waiting"))
    return {"style": style, "shape": shape, "word": instead or word.replace("_", " ")}


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    hidden = format_html('<span class="vh">{}</span>', label) if label else ""
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>{}', name, hidden)


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, name: str, label: str) -> str:
    """A link of the main menu, marked as current by the section that the page belongs to."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return ""
    section = context.get("section", "home")
    if section == name:
        return format_html('<a href="{}" aria-current="page">{}</a>', url, label)
    return format_html('<a href="{}">{}</a>', url, label)


@register.inclusion_tag("_exam_bar.html")
def exam_bar(examined: int, expected: int, style: str) -> dict[str, object]:
    """Examined / expected as a bar; the numbers stand beside it in words."""
    share = 0.0 if not expected else min(100.0, 100.0 * examined / expected)
    return {"examined": examined, "expected": expected, "share": f"{share:.1f}", "style": style}


@register.filter
def of_len(part: object, rows: object) -> str:
    """``n of m`` where either may be a list that is counted."""
    first, second = (len(one) if isinstance(one, Sized) else one for one in (part, rows))
    return of(first, second) if isinstance(first, int) and isinstance(second, int) else ""


@register.filter
def is_table(value: object) -> bool:
    """A list of mappings is shown as a table."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


@register.filter
def is_mapping(value: object) -> bool:
    return isinstance(value, dict)


@register.filter
def is_list(value: object) -> bool:
    return isinstance(value, list)


@register.filter
def columns(rows: list[dict[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


@register.filter
def pairs(mapping: dict[str, object]) -> list[tuple[str, object]]:
    return list(mapping.items())


@register.filter
def is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@register.filter
def shown(value: object) -> str:
    """A value of a report as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " to ".join(shown(one) for one in value) if len(value) == 2 else ", ".join(shown(one) for one in value)
    return "none" if value in (None, "") else str(value)


@register.filter
def mapping_items(mapping: Mapping[str, object]) -> list[tuple[str, object]]:
    return list(mapping.items())


@register.filter
def mapping_get(mapping: Mapping[str, object], key: str) -> object:
    return mapping.get(key)


@register.filter
def rules_of(gate: object) -> list[tuple[str, str]]:
    return list(getattr(gate, "rules", {}).items())


@register.filter
def numbers_of(policy: object, gate: str) -> dict[str, object]:
    """The policy's section of one gate as plain values; empty where it has none."""
    section = getattr(policy, gate, None)
    plain: dict[str, object] = json.loads(json.dumps(asdict(section))) if is_dataclass(section) else {}  # type: ignore[arg-type]
    return plain


@register.inclusion_tag("_share_bar.html")
def share_bar(part: int | None, whole: int | None, style: str) -> dict[str, object]:
    """A share as a bar beside numbers that say it."""
    share = min(100.0, 100.0 * (part or 0) / whole) if whole else 0.0
    return {"share": f"{share:.1f}", "style": style}


@register.filter
def milli(value: int | None) -> str:
    """A figure kept in thousandths, with one decimal: ``434083`` -> ``434.1``."""
    return f"{(value or 0) / 1000:,.1f}"


@register.filter
def bar_rows(summary: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """(least, most, records) of each bar of a histogram up to the last that holds any."""
    width, bars = summary["bar_width"], summary["bars"]
    last = max(place for place, count in enumerate(bars) if count)
    return [(place * width, (place + 1) * width - 1, count) for place, count in enumerate(bars[: last + 1])]


STEPS = {"release.build": "read and build", "release.scan": "scan a shard", "release.gates": "evaluate the gates"}


@register.filter
def step_name(kind: str) -> str:
    return STEPS.get(kind, kind)


HOW = {"built": "built it", "catalog": "imported the catalog"}


@register.filter
def how_words(how: str) -> str:
    return HOW.get(how, how.replace("_", " "))
