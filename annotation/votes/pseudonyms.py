"""Names for annotators that say nothing of who they are.

HMAC-SHA256 of the person's number under a key of the project, which itself comes from the installation's signing key:
the same person has the same pseudonym in every export of a project and another one in every other project. Without
the signing key nobody finds the person behind a pseudonym; with a new signing key all pseudonyms are new.
"""

from __future__ import annotations

import hmac
from base64 import b32encode

from django.conf import settings

from accounts.models import Project

# 80 bits: among a million annotators two alike are a chance of one in 10^12.
BYTES = 10


class Pseudonyms:
    """Those of one project; each is worked out once."""

    def __init__(self, project: Project) -> None:
        purpose = f"annotation.votes.pseudonyms project {project.pk}".encode()
        self._key = hmac.digest(settings.SECRET_KEY.encode(), purpose, "sha256")
        self._found: dict[int, str] = {}

    def of(self, user_id: int) -> str:
        """Letters first, so that no spreadsheet takes it for a number."""
        found = self._found.get(user_id)
        if found is None:
            digest = hmac.digest(self._key, str(user_id).encode(), "sha256")[:BYTES]
            found = self._found[user_id] = "p" + b32encode(digest).decode().lower()
        return found
