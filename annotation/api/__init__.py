"""The human side over HTTP."""

from __future__ import annotations

from annotation.api import campaigns, desk, rubrics, statistics

ROUTERS = (desk.router, campaigns.router, statistics.router, rubrics.router)
