"""The addresses of the API, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny

from releases.api import views
from releases.api.streaming import SignedFileView

urlpatterns = [
    # The schema is a description of the code, not of anything that was released.
    path(
        "schema",
        SpectacularJSONAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[]),
        name="api-schema",
    ),
    path("channels/<str:name>", views.ChannelView.as_view(), name="api-channel"),
    path("releases", views.ReleasesView.as_view(), name="api-releases"),
    path("releases/<str:version>", views.ReleaseView.as_view(), name="api-release"),
    path("releases/<str:version>/manifest", views.ManifestView.as_view(), name="api-manifest"),
    path("releases/<str:version>/files/<path:path>", views.FileView.as_view(), name="api-file"),
    path("releases/<str:version>/events", views.EventsView.as_view(), name="api-events"),
    path("consumptions", views.ConsumptionsView.as_view(), name="api-consumptions"),
    path("files/<str:token>", SignedFileView.as_view(), name="api-signed-file"),
    path("<path:rest>", views.UnknownView.as_view(), name="api-unknown"),
]
