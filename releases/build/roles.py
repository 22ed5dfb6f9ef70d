"""Speaker words of sources and the ChatML roles that the catalog gives them. Knows no file format and no shape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from mhds.errors import InvalidInput

ROLES = ("system", "user", "assistant")
MAX_WORD = 20

# Words that may be named in a report although no role is mapped to them. A closed list, because a speaker mark may as
# well be a person's name.
_NAMEABLE_WORDS = (
    "adviser advisor agent ai bot caller caregiver chatbot client clinician coach counselee counselling counsellor "
    "counselor customer developer doctor father friend gpt helper human interviewer listener "
    "moderator mother narrator nurse observer operator parent participant patient psychiatrist psychologist "
    "responder seeker speaker student supervisor supporter teacher therapist visitor volunteer "
    "来访者 来询者 求助者 咨询师 心理咨询师 咨询者 治疗师 医生 患者 病人 支持者 倾听者 用户 助手 旁白 家属"
)
_NAMEABLE = frozenset(_NAMEABLE_WORDS.split())
_NUMBERED = re.compile(r"[\s_#-]*[0-9]{1,3}\Z")


def fold(speaker: str) -> str:
    """The form in which speaker words are compared: NFKC, case folded, white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", speaker).casefold().split())


class RoleMap:
    """Only the three ChatML roles are built in; every other word comes from the catalog's ``[roles]`` table."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._roles = {role: role for role in ROLES}
        for word, role in mapping.items():
            if role not in ROLES:
                raise InvalidInput(f"role {role!r} is none of {', '.join(ROLES)}", hint="mend the catalog's [roles]")
            if self._roles.setdefault(fold(word), role) != role:
                raise InvalidInput(f"speaker {word!r} is mapped to two roles", hint="mend the catalog's [roles]")
        #: Folded speaker words, longest first, so that a pattern made of them prefers ``user 1`` to ``user``.
        self.words = tuple(sorted(self._roles, key=lambda word: (-len(word), word)))

    def role(self, speaker: str) -> str | None:
        return self._roles.get(speaker) or self._roles.get(fold(speaker))


def nameable(speaker: str) -> str:
    """The word for a report if it can only be a role word, else nothing."""
    word = fold(speaker)
    if len(word) > MAX_WORD:
        return ""
    return word if _NUMBERED.sub("", word) in _NAMEABLE else ""
