from __future__ import annotations

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class CorpusConfig(AppConfig):
    name = "corpus"

    def ready(self) -> None:
        # Uploads are streamed into it before anything else of ours runs.
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
