"""People in the result of a run: a method knows them by number, a page by name."""

from __future__ import annotations

from typing import Any

from accounts.models import User


def named(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the name of each annotator, and whether the votes were simulated."""
    users = {user.pk: user for user in User.objects.filter(pk__in=[person["annotator"] for person in people])}
    found = []
    for person in people:
        user = users.get(person["annotator"])
        found.append(person | {"name": str(user) if user else "", "is_simulated": bool(user and user.is_simulated)})
    return found
