from __future__ import annotations

from django.urls import URLPattern, path

from curation import releases_views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/releases/", releases_views.releases, name="releases"),
    path("p/<slug:slug>/releases/<str:name>/", releases_views.release, name="release"),
]
