"""Where the pages of methods are; `curation.urls` includes them."""

from __future__ import annotations

from django.urls import URLPattern, path

from curation import methods_views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/methods/", methods_views.methods, name="methods"),
    path("p/<slug:slug>/methods/<slug:name>/", methods_views.method, name="method"),
    path("p/<slug:slug>/runs/<int:run_id>/examples/", methods_views.examples, name="run_examples"),
]
