"""The account pages; logging in itself is allauth's, under /accounts/."""

from __future__ import annotations

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("projects/new/", views.project_new, name="project_new"),
    path("p/<slug:slug>/people/", views.people, name="people"),
    path("p/<slug:slug>/people/<int:user_id>/role/", views.member_role, name="member_role"),
    path("p/<slug:slug>/people/<int:user_id>/remove/", views.member_remove, name="member_remove"),
    path("p/<slug:slug>/invitations/", views.invitation_create, name="invitation_create"),
    path("p/<slug:slug>/invitations/<int:invitation_id>/revoke/", views.invitation_revoke, name="invitation_revoke"),
    path("p/<slug:slug>/settings/", views.settings, name="settings"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", views.token_revoke, name="token_revoke"),
    path("join/<str:token>/", views.invitation, name="invitation"),
]
