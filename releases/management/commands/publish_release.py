"""``manage.py publish_release``: publish the approved candidate of a version in this process, or go on with it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.errors import NotFound
from releases.models import Candidate, Release
from releases.publishing.services import publish_now


class Command(BaseCommand):
    help = "Publish a release without a broker. After a kill, the same command goes on to the same bytes."
    step = "publish"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--actor", metavar="EMAIL", required=True, help="the release lead who publishes")
        parser.add_argument("--digest", metavar="SHA256", required=True, help="content digest that was looked at")

    def run(self, **options: Any) -> Mapping[str, Any]:
        actor = self.actor(options["actor"])
        release = Release.objects.filter(version=options["version"]).first()
        candidate = Candidate.objects.shown_for(release) if release else None
        if candidate is None:
            raise NotFound(f"there is no candidate of {options['version']}")
        publication = publish_now(candidate, actor, options["digest"])
        return {
            "version": publication.version,
            "state": candidate.state,
            "prefix": publication.prefix,
            "content_digest": publication.content_digest,
            "manifest_sha256": publication.manifest_sha256,
            "sequence": publication.sequence,
        }
