from __future__ import annotations

from django.urls import URLPattern, path

from curation import audits_views, probes_views

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/audits/", audits_views.audits, name="audits"),
    path("p/<slug:slug>/audits/policy/", audits_views.audit_policy, name="audit_policy"),
    path("p/<slug:slug>/audits/<int:audit_id>/", audits_views.audit, name="audit"),
    path("p/<slug:slug>/audits/<int:audit_id>/label/", audits_views.audit_label, name="audit_label"),
    path("p/<slug:slug>/audits/<int:audit_id>/undo/", audits_views.audit_undo, name="audit_undo"),
    path("p/<slug:slug>/audits/<int:audit_id>/finish/", audits_views.audit_finish, name="audit_finish"),
    path("p/<slug:slug>/audits/<int:audit_id>/cancel/", audits_views.audit_cancel, name="audit_cancel"),
    path("p/<slug:slug>/probes/", probes_views.probes, name="probes"),
    path("p/<slug:slug>/probes/<int:run_id>/override/", probes_views.probe_override, name="probe_override"),
]
