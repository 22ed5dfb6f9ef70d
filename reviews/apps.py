"""Start-up of the app: rounds and signatures are what stands between the gates and publication."""

from __future__ import annotations

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from releases import evidence  # noqa: PLC0415  models load after apps
        from releases.publishing import attachments as places  # noqa: PLC0415
        from reviews import attachments, checks, next_acts  # noqa: PLC0415
        from reviews.evidence import rounds_evidence  # noqa: PLC0415
        from reviews.standing import signatures_evidence  # noqa: PLC0415

        evidence.register("rounds", rounds_evidence)
        evidence.register("signatures", signatures_evidence)
        evidence.register_checks("reviews", checks.checks)
        evidence.register_acts("reviews", next_acts.acts)
        places.register("reviews", attachments.review_files)
        places.register("signoff", attachments.signoff_record)
        places.register_signatures(attachments.signatures)
