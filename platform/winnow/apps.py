from __future__ import annotations

from django.apps import AppConfig


class WinnowConfig(AppConfig):
    name = "winnow"
