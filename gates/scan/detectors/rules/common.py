"""Small checks that several rules share. Knows no rule."""

from __future__ import annotations

import unicodedata

EN = frozenset({"en"})
ZH = frozenset({"zh"})
BOTH = frozenset({"en", "zh"})
# \b does not lie between a digit and a Chinese character: these two ask for no ASCII letter or digit instead.
START = r"(?<![0-9A-Za-z_])"
END = r"(?![0-9A-Za-z_])"


def digits(text: str) -> str:
    """The decimal digits of a text as ASCII, whatever their script."""
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of payment cards."""
    total = 0
    for place, char in enumerate(reversed(number)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
