"""URLs of our own for a store that has none: who holds one may read one file of one published release for minutes."""

from __future__ import annotations

from typing import Any

from django.core import signing

from releases.api.errors import FileNotListed, UrlRefused
from releases.api.reading import publication
from releases.models import Publication

LIFETIME_S = 300
_SALT = "releases.api.file-url"


def sign(found: Publication, path: str) -> str:
    """An opaque, timestamped token; nobody without the installation's key can make or change one."""
    return signing.dumps([found.version, path], salt=_SALT)


def opened(token: str) -> tuple[Publication, dict[str, Any]]:
    """The publication and file meant, looked up anew: a release withdrawn meanwhile is not served any more."""
    try:
        version, path = signing.loads(token, salt=_SALT, max_age=LIFETIME_S)
    except signing.BadSignature:
        raise UrlRefused("This URL is not valid, or no longer.", hint="Ask the API for a new one.") from None
    found = publication(version)
    return found, listed(found, path)


def listed(found: Publication, path: str) -> dict[str, Any]:
    row = found.file(path)
    if row is None:
        raise FileNotListed(f"{found.version} has no such file.", hint="The manifest lists its files.")
    return row
