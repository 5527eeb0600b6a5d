from __future__ import annotations

from django.urls import URLPattern, path

from ledger import views

app_name = "ledger"

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/runs/", views.runs, name="runs"),
    path("p/<slug:slug>/runs/<int:run_id>/", views.run, name="run"),
    path("p/<slug:slug>/runs/<int:run_id>/cancel/", views.cancel, name="cancel"),
    path("p/<slug:slug>/runs/<int:run_id>/resume/", views.resume, name="resume"),
]
