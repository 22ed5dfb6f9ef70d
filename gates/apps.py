"""Start-up of the app: the gates' evidence is what stands between a candidate and its review."""

from __future__ import annotations

from django.apps import AppConfig


class GatesConfig(AppConfig):
    name = "gates"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gates import attachments, checks, next_acts  # noqa: PLC0415  models load after apps
        from gates.standing import gates_evidence  # noqa: PLC0415
        from releases import evidence  # noqa: PLC0415
        from releases.publishing import attachments as places  # noqa: PLC0415

        evidence.register("gates", gates_evidence)
        evidence.register_checks("gates", checks.checks)
        evidence.register_acts("gates", next_acts.acts)
        places.register("gates", attachments.gate_reports)
        places.register_figures(attachments.figures)
