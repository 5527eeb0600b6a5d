from __future__ import annotations

from django.urls import path

from annotation.views import campaigns, desk

app_name = "annotation"
urlpatterns = [
    path("p/<slug:slug>/annotate/", desk.annotate, name="annotate"),
    path("p/<slug:slug>/campaigns/", campaigns.campaigns, name="campaigns"),
    path("p/<slug:slug>/campaigns/new/", campaigns.campaign_new, name="campaign_new"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/", campaigns.campaign, name="campaign"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/state/", campaigns.campaign_state, name="campaign_state"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/", desk.judge, name="judge"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/<int:judgment_id>/", desk.answer, name="answer"),
    path("keys/", desk.keys, name="keys"),
    path("p/<slug:slug>/history/", desk.history, name="history"),
]
