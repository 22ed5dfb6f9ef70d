"""Detection of identifiers. Owns the one way in; the heavy libraries behind it load on first use."""

from __future__ import annotations

from gates.scan.types import PiiDetector

__all__ = ["default_detector"]


def default_detector() -> PiiDetector:
    """The process's detector, built once, lazily: Presidio and spaCy cost over a second and 100 MB to import."""
    from .detector import shared  # noqa: PLC0415  # heavy libraries: a process that never scans must not pay for them

    return shared()
