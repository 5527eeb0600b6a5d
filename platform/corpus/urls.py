"""How rows come in, and where they came from."""

from __future__ import annotations

from django.urls import path

from corpus import views

app_name = "corpus"
urlpatterns = [
    path("p/<slug:slug>/import/", views.import_page, name="import"),
    path("p/<slug:slug>/import/confirm/", views.import_confirm, name="import_confirm"),
    path("p/<slug:slug>/import/<int:run_id>/", views.import_run, name="import_run"),
    path("p/<slug:slug>/sources/", views.sources, name="sources"),
]
