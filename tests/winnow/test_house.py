"""The house stands as DESIGN section 3 draws it."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def test_the_platform_folder_never_shadows_pythons_own_module() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert platform.python_implementation()


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_the_web_process_loads_no_machine_learning() -> None:
    code = (
        "import sys; sys.path.insert(1, 'platform'); import winnow.wsgi; from django.urls import get_resolver;"
        "get_resolver().url_patterns;"
        "print([m for m in ('workers', 'torch', 'transformers', 'sentence_transformers', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
