"""The Django project: it knows every area and nobody imports it."""

from __future__ import annotations

from winnow.celery import app as celery_app

__all__ = ["celery_app"]
