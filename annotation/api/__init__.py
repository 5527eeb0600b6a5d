"""The human side over HTTP."""

from __future__ import annotations

from annotation.api import campaigns, desk, rubrics, statistics, votes

ROUTERS = (desk.router, campaigns.router, statistics.router, rubrics.router, votes.router)
