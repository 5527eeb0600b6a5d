"""The Celery application; it carries run ids only, since the ledger in PostgreSQL is what remembers."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")

app = Celery("winnow", include=["workers.tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()

# Beat only knocks; what is due is in the ledger. A knock that nobody heard in time is not worth keeping.
app.conf.beat_schedule = {
    "sweep": {"task": "workers.sweep", "schedule": 10.0, "options": {"queue": "io", "expires": 10}},
    "reorder campaigns": {
        "task": "workers.reorder_campaigns",
        "schedule": 30.0,
        "options": {"queue": "io", "expires": 30},
    },
    "reclaim leases": {"task": "workers.reclaim_leases", "schedule": 60.0, "options": {"queue": "io", "expires": 60}},
}
