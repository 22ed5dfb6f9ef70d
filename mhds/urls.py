"""The root of all URLs: composition only."""

from __future__ import annotations

from django.urls import include, path

from mhds import people, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("account/", views.account, name="account"),
    path("account/password/", views.password, name="password"),
    path("accounts/", people.people, name="people"),
    path("accounts/new/", people.person, name="new-person"),
    path("accounts/<uuid:user_id>/", people.person, name="person"),
    path("accounts/<uuid:user_id>/link/", people.password_link, name="password-link"),
    path("set-password/<uidb64>/<token>/", people.set_password, name="set-password"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", include("releases.api_urls")),
    path("", include("releases.urls")),
    path("", include("gates.urls")),
    path("", include("reviews.urls")),
]
