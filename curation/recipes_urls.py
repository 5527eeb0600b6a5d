from __future__ import annotations

from django.urls import URLPattern, path

from curation import gains_views, recipes_views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/recipes/", recipes_views.recipes, name="recipes"),
    path("p/<slug:slug>/recipe-fields/", recipes_views.recipe_fields, name="recipe_fields"),
    path("p/<slug:slug>/recipe-in-force/undo/", recipes_views.recipe_undo, name="recipe_undo"),
    path("p/<slug:slug>/recipes/<str:name>/", recipes_views.recipe, name="recipe"),
    path("p/<slug:slug>/recipes/<str:name>/preview/", recipes_views.recipe_preview, name="recipe_preview"),
    path("p/<slug:slug>/recipes/<str:name>/gain/", gains_views.recipe_gain, name="recipe_gain"),
]
