"""Every area mounted under its own path."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from winnow import views
from winnow.api import api
from winnow.palette import palette

home_patterns = [
    path("", views.home, name="home"),
    path("palette/", palette, name="palette"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
    path("api/v1/", api.urls),
    path("accounts/", include("accounts.login_urls")),
    path("", include((home_patterns, "winnow"))),
    path("", include("accounts.urls")),
    path("", include("ledger.urls")),
    path("", include("corpus.urls")),
    path("", include("annotation.urls")),
    path("", include("curation.urls")),
]

handler400 = "winnow.views.bad_request"
handler403 = "winnow.views.forbidden"
handler404 = "winnow.views.not_found"
handler500 = "winnow.views.server_error"
