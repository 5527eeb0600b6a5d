from __future__ import annotations

from django.urls import path

from annotation import views

app_name = "annotation"
urlpatterns = [
    path("p/<slug:slug>/annotate/", views.annotate, name="annotate"),
    path("p/<slug:slug>/campaigns/", views.campaigns, name="campaigns"),
    path("p/<slug:slug>/campaigns/new/", views.campaign_new, name="campaign_new"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/", views.campaign, name="campaign"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/state/", views.campaign_state, name="campaign_state"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/", views.judge, name="judge"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/<int:judgment_id>/", views.answer, name="answer"),
    path("p/<slug:slug>/history/", views.history, name="history"),
]
