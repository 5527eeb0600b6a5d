"""The human side over HTTP."""

from __future__ import annotations

from annotation.api import adjudications, campaigns, desk, quality, rubrics, statistics, votes

ROUTERS = (
    desk.router,
    campaigns.router,
    quality.router,
    adjudications.router,
    statistics.router,
    rubrics.router,
    votes.router,
)
