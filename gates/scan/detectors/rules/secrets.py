"""Keys, tokens and passwords: what grants access identifies its holder and must never reach a training set."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH

RULE = Rule(
    entity="SECRET",
    name="SecretRule",
    languages=BOTH,
    ignore_case=False,
    patterns=(
        RulePattern(
            "PEM",
            r"-----BEGIN [A-Z ]{3,40}-----[\s\S]*?(?:-----END [A-Z ]{3,40}-----|\Z)",
            1.0,
            "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----",
        ),
        RulePattern(
            "JWT", r"\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]{5,})?", 1.0, "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abcdefgh"
        ),
        RulePattern("AWS key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", 1.0, "AKIAIOSFODNN7EXAMPLE"),
        RulePattern(
            "provider prefix",
            (
                r"\b(?:sk-[\w-]{16,}|sk_(?:live|test)_\w{16,}|gh[pousr]_\w{20,}|"
                r"glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|hf_\w{20,})"
            ),
            1.0,
            "sk-abcdefghijklmnop1234",
        ),
        RulePattern(
            "labelled",
            (
                r"(?i:\b(?:api[ _-]?key|access[ _-]?token|auth[ _-]?token|secret[ _-]?key|"
                r"client[ _-]?secret))\s*(?i:is|:|=)+\s*[\"']?(?P<v>[\w./+-]{12,})"
            ),
            0.8,
            "api key: abcd1234efgh5678",
        ),
        RulePattern(
            "password",
            (
                r"(?i:\b(?:password|passwd|pwd|passcode))\s*(?i:is\s|"
                r":|=)\s*[\"']?(?P<v>(?=\S*[\d!@#$%^&*])[^\s\"',]{4,40})"
            ),
            0.7,
            "password is hunter2",
        ),
        RulePattern(
            "密码",
            r"密码\s*(?:是|为|:|：)\s*(?P<v>(?=[^\s，。]*\d)[0-9A-Za-z!@#$%^&*_.-]{4,40})",
            0.7,
            "密码是abc12345",
        ),
    ),
)
