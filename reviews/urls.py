"""Addresses of the reviews app: versions and ids only, so that no address holds words of a conversation."""

from __future__ import annotations

from django.urls import path, re_path

from reviews.pages import excerpts, rounds, scoring, signing, work

V = r"^releases/(?P<version>v\d{4}-\d{2}-\d{2}(?:\.\d+)?)/"
R = V + r"reviews/"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

urlpatterns = [
    path("my-work/", work.my_work, name="my-work"),
    path("reviews/items/<uuid:assignment_id>/", scoring.item, name="score-item"),
    path("my-work/keys/", scoring.own_keys, name="own-keys"),
    path("reviews/items/<uuid:assignment_id>/ahead/", scoring.ahead, name="score-ahead"),
    path("reviews/items/<uuid:assignment_id>/draft/", scoring.draft, name="score-draft"),
    path("reviews/items/<uuid:assignment_id>/submit/", scoring.submit, name="submit-score"),
    path("reviews/items/<uuid:assignment_id>/act/", scoring.act, name="score-act"),
    re_path(V + r"sign/(?P<meaning>clinician|bias_reviewer|lead)/$", signing.sign, name="sign"),
    re_path(V + rf"signatures/(?P<signature_id>{ID})/withdraw/$", signing.withdraw, name="withdraw-signature"),
    re_path(R + r"$", rounds.page, name="reviews"),
    re_path(R + r"open/$", rounds.open_rounds, name="open-rounds"),
    re_path(R + r"sign-off/$", rounds.to_signoff, name="to-signoff"),
    re_path(R + r"findings/$", excerpts.findings, name="findings"),
    re_path(R + r"findings/(?P<record_id>r_[0-9a-f]{32})/$", excerpts.record, name="finding"),
    re_path(R + r"findings/(?P<record_id>r_[0-9a-f]{32})/reveal/$", excerpts.reveal, name="reveal-record"),
    re_path(R + rf"escalations/(?P<escalation_id>{ID})/close/$", rounds.close_escalation, name="close-escalation"),
    re_path(R + rf"(?P<round_id>{ID})/$", rounds.act, name="round-act"),
]
