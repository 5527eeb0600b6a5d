"""The human side over HTTP."""

from __future__ import annotations

from annotation.api import campaigns, desk

ROUTERS = (desk.router, campaigns.router)
