from __future__ import annotations

from django.urls import URLPattern, path

from curation import wordings_views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/wordings/", wordings_views.wordings, name="wordings"),
    path("p/<slug:slug>/wordings/<str:kind>/", wordings_views.wording, name="wording"),
    path("p/<slug:slug>/wordings/<str:kind>/preview/", wordings_views.wording_preview, name="wording_preview"),
]
