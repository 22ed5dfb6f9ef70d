"""The root of all URLs: composition only."""

from __future__ import annotations

from django.urls import include, path

from mhds import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("account/", views.account, name="account"),
    path("account/password/", views.password, name="password"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", include("releases.api_urls")),
    path("", include("releases.urls")),
    path("", include("gates.urls")),
]
