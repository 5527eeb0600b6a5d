"""Curation's pages; methods, recipes and releases list their own."""

from __future__ import annotations

from django.urls import URLPattern, path

from curation import (
    audits_urls,
    comparisons_views,
    methods_urls,
    model_servers_urls,
    overview_views,
    recipes_urls,
    releases_urls,
    review_views,
    wordings_urls,
)

app_name = "curation"

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/", overview_views.overview, name="overview"),
    path("p/<slug:slug>/figures/", overview_views.overview_figures, name="overview_figures"),
    path("p/<slug:slug>/comparisons/", comparisons_views.comparisons, name="comparisons"),
    path("p/<slug:slug>/comparisons/histogram/", comparisons_views.histogram, name="histogram"),
    path("p/<slug:slug>/comparisons/every/", comparisons_views.every, name="every"),
    path("p/<slug:slug>/comparisons/decide/", comparisons_views.decisions, name="decide"),
    path("p/<slug:slug>/comparisons/<int:comparison_id>/", comparisons_views.comparison, name="comparison"),
    path("p/<slug:slug>/decisions/<int:batch_id>/undo/", comparisons_views.undo_decisions, name="undo"),
    path("p/<slug:slug>/review/", review_views.review, name="review"),
    path("p/<slug:slug>/review/left/", review_views.review_left, name="review_left"),
    path("p/<slug:slug>/review/decide/", review_views.review_decide, name="review_decide"),
    path("p/<slug:slug>/review/<int:batch_id>/undo/", review_views.review_undo, name="review_undo"),
    *audits_urls.urlpatterns,
    *methods_urls.urlpatterns,
    *model_servers_urls.urlpatterns,
    *recipes_urls.urlpatterns,
    *releases_urls.urlpatterns,
    *wordings_urls.urlpatterns,
]
