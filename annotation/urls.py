from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import path

from annotation.views import (
    adjudication,
    campaign_page,
    campaign_settings,
    campaign_work,
    campaigns,
    desk,
    people,
    quality,
    rubrics,
    votes,
)

app_name = "annotation"
A_CAMPAIGN = "p/<slug:slug>/campaigns/<int:campaign_id>/"
OF_A_CAMPAIGN: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", campaign_page.campaign, "campaign"),
    ("figures/", campaign_page.campaign_figures, "campaign_figures"),
    ("state/", campaigns.campaign_state, "campaign_state"),
    ("agreement/", campaign_page.campaign_agreement, "campaign_agreement"),
    ("agreement/figures/", campaign_page.campaign_agreement_figures, "campaign_agreement_figures"),
    ("adjudicate/", adjudication.campaign_adjudicate, "campaign_adjudicate"),
    ("adjudicate/decide/", adjudication.campaign_adjudication, "campaign_adjudication"),
    ("adjudicate/<int:comparison_id>/undo/", adjudication.campaign_adjudication_undo, "campaign_adjudication_undo"),
    ("votes/", votes.campaign_votes, "campaign_votes"),
    ("people/", people.campaign_people, "campaign_people"),
    ("people/<int:user_id>/", people.campaign_person, "campaign_person"),
    ("work/", campaign_work.campaign_work, "campaign_work"),
    ("work/priorities/", campaign_work.campaign_priorities, "campaign_priorities"),
    ("work/order/", campaign_work.campaign_order, "campaign_order"),
    ("work/extend/", campaign_work.campaign_extend, "campaign_extend"),
    ("work/held/<int:assignment_id>/", campaign_work.campaign_give_back, "campaign_give_back"),
    ("work/flags/<int:flag_id>/", campaign_work.campaign_flag_resolve, "campaign_flag_resolve"),
    ("settings/", campaign_settings.campaign_settings, "campaign_settings"),
    ("settings/invite/", campaign_settings.campaign_invite, "campaign_invite"),
    ("quality/", quality.campaign_quality, "campaign_quality"),
    ("quality/gold/", quality.campaign_gold_add, "campaign_gold_add"),
    ("quality/gold/<int:gold_id>/", quality.campaign_gold_remove, "campaign_gold_remove"),
    ("quality/person/<int:person_id>/", quality.campaign_seat, "campaign_seat"),
    ("settings/fit/<slug:method>/", campaign_settings.campaign_fit, "campaign_fit"),
    ("settings/<slug:section>/", campaign_settings.campaign_change, "campaign_change"),
]
urlpatterns = [
    path("p/<slug:slug>/annotate/", desk.annotate, name="annotate"),
    path("p/<slug:slug>/campaigns/", campaigns.campaigns, name="campaigns"),
    path("p/<slug:slug>/campaigns/new/", campaigns.campaign_new, name="campaign_new"),
    path("p/<slug:slug>/campaigns/import/", votes.votes_import, name="campaign_votes_import"),
    path("p/<slug:slug>/campaigns/import/<int:run_id>/", votes.votes_run, name="campaign_votes_run"),
    path("p/<slug:slug>/campaigns/new/kind/", campaigns.campaign_kind, name="campaign_kind"),
    path("p/<slug:slug>/campaigns/new/preset/", campaigns.campaign_preset, name="campaign_preset"),
    *(path(f"{A_CAMPAIGN}{route}", view, name=name) for route, view, name in OF_A_CAMPAIGN),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/", desk.judge, name="judge"),
    path("p/<slug:slug>/campaigns/<int:campaign_id>/judge/<int:judgment_id>/", desk.answer, name="answer"),
    path("p/<slug:slug>/rubrics/", rubrics.rubrics, name="rubrics"),
    path("p/<slug:slug>/rubrics/new/", rubrics.rubric_new, name="rubric_new"),
    path("p/<slug:slug>/rubrics/preview/", rubrics.rubric_preview, name="rubric_preview"),
    path("p/<slug:slug>/rubrics/import/", rubrics.rubric_import, name="rubric_import"),
    path("p/<slug:slug>/rubrics/<int:rubric_id>/", rubrics.rubric, name="rubric"),
    path("p/<slug:slug>/rubrics/<int:rubric_id>/export/", rubrics.rubric_export, name="rubric_export"),
    path("p/<slug:slug>/rubrics/<int:rubric_id>/use/", rubrics.rubric_use, name="rubric_use"),
    path("keys/", desk.keys, name="keys"),
    path("p/<slug:slug>/my-work/", people.my_work, name="my_work"),
    path("p/<slug:slug>/history/", desk.history, name="history"),
]
