"""What the pages of reviews share: the numbers of a form. Knows no score."""

from __future__ import annotations

from mhds.errors import InvalidInput


def number_of(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"The {what} is a whole number.", hint="Reload the page and try again.")
    return int(text)
