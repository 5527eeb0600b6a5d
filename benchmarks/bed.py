"""A PostgreSQL of its own for the benchmarks, in a folder that goes with them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path


@lru_cache
def make_bed() -> Path:
    """Django set up on a fresh, migrated cluster; the same one for all benchmarks of a run."""
    home = Path(tempfile.mkdtemp(prefix="winnow-bench-"))
    os.environ["WINNOW_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")

    import django
    from django.core.management import call_command

    from winnow.embedded.postgres import EmbeddedPostgres
    from winnow.environment import environment

    environment.cache_clear()
    cluster = EmbeddedPostgres(data_dir=home / "postgres" / "data", socket_dir=environment().socket_dir)
    cluster.start()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    atexit.register(shutil.rmtree, cluster.socket_dir, ignore_errors=True)
    atexit.register(cluster.stop)
    django.setup()
    call_command("migrate", verbosity=0)
    return home
