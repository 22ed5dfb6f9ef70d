"""Addresses of the releases app: versions in the path, so that a link says what it shows."""

from __future__ import annotations

from django.urls import path, re_path

from releases import publish_page, views

V = r"^releases/(?P<version>v\d{4}-\d{2}-\d{2}(?:\.\d+)?)"

urlpatterns = [
    path("", views.home, name="home"),
    path("releases/", views.home, name="releases"),
    path("releases/new/", views.new_release, name="new-release"),
    re_path(V + r"/$", views.release, name="release"),
    re_path(V + r"/coverage/$", views.coverage_page, name="coverage"),
    re_path(V + r"/coverage\.(?P<form>json|csv|md)$", views.coverage_page, name="coverage-file"),
    re_path(V + r"/objects/$", views.objects_page, name="objects"),
    re_path(V + r"/gates/run/$", views.run_gates_again, name="run-gates"),
    re_path(V + r"/publish/$", publish_page.publish, name="publish"),
    re_path(V + r"/publish/retry/$", publish_page.retry, name="retry-publish"),
    re_path(V + r"/abandon/$", publish_page.abandon_candidate, name="abandon"),
    path("inventory/", views.inventory_page, name="inventory"),
    re_path(r"^inventory\.(?P<form>json|csv|md)$", views.inventory_page, name="inventory-file"),
    path("catalog/", views.catalog_page, name="catalog"),
    path("catalog.toml", views.catalog_toml, name="catalog-toml"),
]
