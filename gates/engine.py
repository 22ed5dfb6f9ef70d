"""Puts the scan's components together, once per process: detector, tokenizer, language, tags. Owns the choice only."""

from __future__ import annotations

from functools import cache

from gates import known_scanner
from gates.history import history
from gates.policy import current_policy
from gates.scan import tags
from gates.scan.clusterer import BuildClusterer
from gates.scan.detectors import default_detector
from gates.scan.keys import readable
from gates.scan.redact import PlaceholderRedactor
from gates.scan.scan import Scanner
from gates.scan.tokens import TiktokenTokenizer
from releases.build.language import Py3LangidDetector
from releases.build.types import Message
from releases.building import Ports


@cache
def language() -> Py3LangidDetector:
    return Py3LangidDetector()


@cache
def scanner() -> Scanner:
    """Built after a fork, never before: some of the libraries hang in a child that inherits their threads."""
    built = Scanner(
        detector=default_detector(),
        tokenizer=TiktokenTokenizer(current_policy().tokenizer),
        language=language(),
        tags=tags.tags,
        tags_version=tags.tags_version(),
    )
    known_scanner.remember(built.digest)
    return built


def identifies(key: str) -> bool:
    """True when an object key itself holds an identifier: keys are scanned like text."""
    threshold = current_policy().threshold_bp
    found = scanner().detector.detect((Message("user", readable(key)),), "en")
    return any(span.score_bp >= threshold and span.entity not in NOT_IN_KEYS for span in found)


# File names look like hosts and dates to a recogniser of prose; neither names a person.
NOT_IN_KEYS = frozenset({"URL", "DATE_TIME"})


def build_ports() -> Ports:
    """Fresh ports for one build: a clusterer collects, so it serves one build only."""
    policy = current_policy()
    return Ports(
        redactor=PlaceholderRedactor(default_detector(), policy.threshold_bp),
        language=language(),
        clusterer=BuildClusterer(policy.near_threshold_bp),
        identifies=identifies,
        history=history,
    )
