"""Street addresses, post boxes and postcodes of the US and UK. HIPAA 164.514(b)(2)(i)(B).

A street needs a house number and capitalised words before its type, or a cue ("I live at"), because "5 minutes down the
road" is no address.
"""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_TYPE = (
    r"(?:[Ss]treet|[Ss]t|[Aa]venue|[Aa]ve|[Rr]oad|[Rr]d|[Dd]rive|[Dd]r|"
    r"[Bb]oulevard|[Bb]lvd|[Ll]ane|[Ll]n|[Cc]ourt|[Cc]t|[Pp]lace|[Pp]l|"
    r"[Tt]errace|[Pp]arkway|[Pp]kwy|[Hh]ighway|[Hh]wy|[Ss]quare|[Ss]q|"
    r"[Cc]rescent|[Cc]lose|[Gg]ardens|[Mm]ews|[Ww]ay|[Cc]ircle|[Tt]rail)"
)
_UNIT_WORD = r"(?:[Aa]pt|[Aa]partment|[Ss]uite|[Ss]te|[Uu]nit|[Ff]lat)\b\.?\s*\#?(?:\d{1,5}[A-Za-z]?|[A-Z]\d{0,4})\b"
_UNIT = rf"(?:\s*,?\s*(?:{_UNIT_WORD}|\#\s?\d{{1,5}}\b))"
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|"
    r"N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
)
_ZIP = rf"(?:{_STATE}\s+\d{{5}}(?:-\d{{4}})?)"
_CITY = r"(?:\s*,?\s*(?:[A-Z][a-z.'’-]+\s?){1,3})"
_NUMBER = r"(?<![\w.,:/$£€-])\d{1,5}[A-Za-z]?"
_WORD = r"(?:[A-Z][\w.'’-]*|\d{1,3}(?:st|nd|rd|th))"
_LIVE = (
    r"\b(?:[Ll]ive|[Ll]iving|[Ll]ives|[Ss]tay|[Ss]taying|[Rr]eside|"
    r"[Aa]ddress|[Mm]oved)\s+(?:is|at|on|in|to|now|:)*\s*(?:is|at)?\s*"
)

STREET = Rule(
    entity="STREET_ADDRESS",
    name="StreetAddressRule",
    languages=EN,
    ignore_case=False,
    patterns=(
        RulePattern(
            "street",
            rf"(?P<v>{_NUMBER}\s+(?:{_WORD}\s+){{1,4}}{_TYPE}\b\.?{_UNIT}?(?:{_CITY}?\s*,?\s*{_ZIP})?)",
            0.7,
            "at 42 Wallaby Way",
        ),
        RulePattern(
            "street by cue",
            rf"{_LIVE}(?P<v>\d{{1,5}}[A-Za-z]?\s+(?:[A-Za-z][\w.'’-]*\s+){{1,3}}{_TYPE}\b{_UNIT}?)",
            0.7,
            "i live at 12 maple street",
        ),
        RulePattern(
            "number, name, unit",
            rf"(?P<v>{_NUMBER}\s+(?:[^\W\d_a-z][\w.'’-]*\s+)(?:[\w.'’-]+\s+){{0,3}}{_UNIT_WORD})",
            0.6,
            "6750 Koskikatu 25 Apt. 864",
        ),
        RulePattern("city, state, zip", rf"(?P<v>{_CITY}\s*,\s*{_ZIP})\b", 0.7, " Springfield, IL 62704"),
        RulePattern("state and zip", rf"\b(?P<v>{_ZIP})\b", 0.6, "IL 62704"),
    ),
)

POST_BOX = Rule(
    entity="STREET_ADDRESS",
    name="PostBoxRule",
    languages=EN,
    patterns=(
        RulePattern("box", r"\b(?:p\.?\s?o\.?\s?|post\s+office\s+)box\s+\d{1,6}\b", 0.7, "P.O. Box 12"),
        RulePattern(
            "military",
            r"\b(?:PSC|CMR|Unit|USNV|USNS|USS \w+)\s+\d{1,5},?\s+Box\s+\d{1,6}(?:\s+[AFD]PO,?\s+A[AEP]\s+\d{5})?",
            0.7,
            "PSC 0413, Box 8144",
        ),
    ),
)

POSTCODE = Rule(
    entity="UK_POSTCODE",
    name="UkPostcodeRule",
    languages=EN,
    ignore_case=False,  # Presidio's own ignores case and scores 0.1: "e1 5am"
    patterns=(
        RulePattern(
            "written in full",
            r"\b(?:[A-PR-UWYZ][A-HK-Y]?\d[0-9A-HJKMNPR-Y]?)\s\d[ABD-HJLNP-UW-Z]{2}\b",
            0.6,
            "SW1A 1AA",
        ),
    ),
)
