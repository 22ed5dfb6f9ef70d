"""Addresses of the gates app."""

from __future__ import annotations

from django.urls import path, re_path

from gates import views

V = r"^releases/(?P<version>v\d{4}-\d{2}-\d{2}(?:\.\d+)?)/gates/"
G = V + r"(?P<gate>[a-z]+)/"

urlpatterns = [
    re_path(V + r"$", views.panel, name="gates-panel"),
    re_path(G + r"$", views.gate, name="gate"),
    re_path(V + r"integrity/issues/(?P<issue_id>\d+)/$", views.decide_exclusion, name="decide-exclusion"),
    re_path(G + r"explain/$", views.explain, name="explain"),
    re_path(G + r"waivers/$", views.ask_waiver, name="ask-waiver"),
    re_path(G + r"waivers/(?P<waiver_id>[0-9a-f-]{36})/$", views.grant_waiver, name="grant-waiver"),
    path("catalog/<str:source_id>/decide/", views.decide_source, name="decide-source"),
    path("policy/", views.policy, name="policy"),
]
