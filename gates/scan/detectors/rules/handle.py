"""Account names on social networks after the network's name. HIPAA (R): any other unique identifier."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_NETWORK = (
    r"\b(?:instagram|insta|ig|twitter|snapchat|snap|discord|"
    r"telegram|tiktok|facebook|fb|reddit|skype|whatsapp|kik|linkedin)"
)

RULE = Rule(
    entity="SOCIAL_HANDLE",
    name="HandleRule",
    languages=EN,
    patterns=(
        RulePattern("at sign", rf"{_NETWORK}\W+(?:\w+\W+){{0,3}}?(?P<v>@[\w.]{{2,30}}\w)", 0.6, "my insta is @jo.doe9"),
        RulePattern(
            "labelled",
            (
                rf"{_NETWORK}\s+(?:handle|username|user\s?name|id|account|tag)"
                rf"?\s*(?:is\s+|[:=]\s*)(?P<v>(?=[\w.]*[\d_.])[\w.]{{3,30}}\w)"
            ),
            0.6,
            "discord username is jo_doe99",
        ),
        RulePattern("reddit user", r"(?<![\w/])(?P<v>/?u/[\w-]{3,20})\b", 0.6, "u/jo_doe99"),
    ),
)
