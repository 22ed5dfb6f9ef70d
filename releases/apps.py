"""Start-up of the app."""

from __future__ import annotations

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "releases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from releases import evidence  # noqa: PLC0415  models load after apps
        from releases.publishing import standing  # noqa: PLC0415

        evidence.register("built", evidence.built)
        evidence.register("frozen", evidence.frozen)
        evidence.register("storage", standing.storage)
        evidence.register("written", standing.written)
        evidence.register("unwritten", standing.unwritten)
