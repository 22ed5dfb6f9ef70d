"""Names that the text itself introduces: "my name is X", "Dr. X", "my son X". HIPAA (A). Precise on purpose; finds no
other names.
"""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_CAPITAL = r"\p{Lu}(?:['’]\p{Lu})?\p{Ll}[\p{L}\p{M}]*(?:['’-](?!s\b)\p{L}[\p{L}\p{M}]+)*"
_FULL = rf"{_CAPITAL}(?:\s+(?:[A-Z]\.\s+)?(?:(?:de|la|van|von|der|bin|al)\s+)?{_CAPITAL}){{0,2}}"
_I_AM = r"(?:I\s+am|I['’]?m|[Ii]['’]m)"
# Words that follow a cue without being a name, capitalised or not.
_STOP_TEXT = """
    a an the not no on in at of for to from by with as is was are were be been being am it its this that these those
    there here and or but so if when while because what who whom whose which how why where i i'm i've i'll you
    you're he she we they my your his her our their me him us them crazy back when whenever maybe mad stupid lazy
    fat ugly weird sensitive selfish dramatic old later now today tomorrow tonight soon again after before anytime
    any every each all some names things everything nothing something someone anyone everyone god jesus lord sir
    madam maam mom mum mother dad father daddy mommy son daughter sister brother doctor therapist nurse unknown
    anonymous irrelevant important mentioned listed written called spelled spelt pronounced changed confidential
    private never always also just really very still only even too like about out up down over under first last
    unfortunately however yes please sorry well okay ok thanks hi hello hey customer user client patient assistant
    ai gpt chatgpt monday tuesday wednesday thursday friday saturday sunday january february
    march april june july august september october november december english american british chinese christian
    muslim jewish catholic depression anxiety therapy ptsd adhd ocd currently recently honestly eventually basically
    had has have does did do would could should will can may might must
"""
STOP = frozenset(_STOP_TEXT.split())
# After "my name is" these are names, capitalised as they must be there.
NAMES_TOO = frozenset(("will", "may", "april", "june", "august", "christian", "jesus"))


def _unless(words: frozenset[str]) -> str:
    return rf"(?!(?i:{'|'.join(sorted(words))})(?!\w))"


_NOT_STOP = _unless(STOP)
_STATED = (
    r"(?:[Mm]y\s+(?:full\s+|first\s+|last\s+|real\s+|legal\s+)?name(?:\s+is|['’]s)"
    r"|[Nn]ame\s*[:=]|[Tt]he\s+name['’]?s?\s+is|I\s+am\s+called|I['’]m\s+called|"
    r"(?:[Pp]lease|[Yy]ou\s+can|[Jj]ust|[Pp]eople|[Ff]riends|[Ee]veryone)\s+call\s+me)"
)
_TITLE = r"(?:Dr|Doctor|Mr|Mrs|Ms|Miss|Prof|Professor|Mx|Rev|Nurse)\b\.?"
_RELATION = (
    r"(?:son|daughter|husband|wife|brother|sister|friend|boyfriend|"
    r"girlfriend|partner|therapist|counsel+or|psychiatrist|psychologist|"
    r"doctor|boss|coworker|colleague|neighbou?r|roommate|cousin|nephew|niece|uncle|aunt|fianc[eé]e?|ex|teacher)"
)

# A pet's name is no identifier of a patient: "named X" counts after a person only.
_WHO = (
    rf"(?:{_RELATION}|(?:wo)?man|guy|girl|boy|lady|baby|kid|child|"
    rf"person|someone|somebody|student|nurse|dad|mom|mother|father)"
)

STATED = Rule(
    entity="PERSON",
    name="StatedNameRule",
    languages=EN,
    ignore_case=False,
    patterns=(
        RulePattern(
            "my name is", rf"\b{_STATED}\s+{_unless(STOP - NAMES_TOO)}(?P<v>{_FULL})", 0.85, "my name is Jo Doe"
        ),
        RulePattern(
            "my name is, lower case",
            (
                rf"\b(?:[Mm]y\s+name(?:\s+is|['’]s))\s+{_NOT_STOP}(?P<v>[a-z]{{2,14}})"
                rf"(?=\s*(?:[.,!?;\n]|$|\s+(?:and|but|im|i'm|i)\b))"
            ),
            0.6,
            "my name is jo.",
        ),
        RulePattern(
            "call me",
            rf"\b[Cc]all\s+me\s+{_NOT_STOP}(?P<v>{_FULL})(?=\s*(?:[.,!?;)\n]|$|\s(?:and|for|please)\b))",
            0.6,
            "call me Jo.",
        ),
        RulePattern(
            "speaking",
            rf"\b(?:(?:[Tt]his\s+is|[Ii]t['’]s|{_I_AM})\s+{_NOT_STOP}(?P<v>{_FULL})\s+(?:speaking|calling)"
            rf"|[Tt]his\s+is\s+{_NOT_STOP}(?P<v>{_FULL})\s+here\b)",
            0.6,
            "this is Jo speaking",
        ),
        RulePattern(
            "sign-off",
            (
                rf"(?:[Ss]incerely|(?:[Bb]est|[Kk]ind|[Ww]arm)\s+(?:[Rr]egards|[Ww]ishes)|"
                rf"[Yy]ours\s+truly|[Rr]egards),?\s*\n?\s*{_NOT_STOP}(?P<v>{_FULL})(?=\s*(?:[.,\n]|$))"
            ),
            0.6,
            "Kind regards,\nJo Doe",
        ),
    ),
    notes=tuple(sorted(STOP)),
)

TITLED = Rule(
    entity="PERSON",
    name="TitledNameRule",
    languages=EN,
    ignore_case=False,
    patterns=(RulePattern("title", rf"\b{_TITLE}[ \t]+(?:[A-Z]\.\s*)?{_NOT_STOP}(?P<v>{_FULL})", 0.7, "Dr. Doe"),),
    notes=tuple(sorted(STOP)),
)

RELATED = Rule(
    entity="PERSON",
    name="RelatedNameRule",
    languages=EN,
    ignore_case=False,
    patterns=(
        RulePattern(
            "my son X",
            rf"\b[Mm]y\s+(?:\w+\s+)?{_RELATION},?\s+{_NOT_STOP}(?P<v>{_CAPITAL})(?:['’]s)?\b",
            0.6,
            "my son Jo",
        ),
        RulePattern(
            "named X",
            rf"\b{_WHO}\s+(?:\w+\s+)?(?:is\s+|was\s+)?(?:named|called)\s+{_NOT_STOP}(?P<v>{_CAPITAL})\b",
            0.5,
            "a friend named Jo",
        ),
    ),
    notes=tuple(sorted(STOP)),
)
