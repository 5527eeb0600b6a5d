from __future__ import annotations

from django.urls import URLPattern, path

from curation import model_servers_views as views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/settings/model-servers/", views.model_servers, name="model_servers"),
    path(
        "p/<slug:slug>/settings/model-servers/<int:server_id>/remove/",
        views.model_server_remove,
        name="model_server_remove",
    ),
]
