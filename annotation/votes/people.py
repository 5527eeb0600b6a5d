"""Whoever gave imported votes: a user who can never log in, named as the file names them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from django.contrib.auth.hashers import make_password

from accounts.models import Project, User

# Reserved for examples (RFC 2606), so that nobody's mail ends there.
DOMAIN = "imported.winnow.example"


class ImportedPeople:
    """The people of one import by the names in its file; held in memory, one number each."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._ids: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self, people: Iterable[tuple[str, str, bool]]) -> dict[tuple[str, str], int]:
        """By (namespace, name); whoever is new is made. The last of the three: whether nobody real."""
        wanted = {(space, name): made_up for space, name, made_up in people if (space, name) not in self._ids}
        emails = {self._email(*key): key for key in wanted}
        new = [
            User(
                email=email,
                name=key[1],
                password=make_password(None),
                is_active=False,
                is_imported=True,
                is_simulated=wanted[key],
            )
            for email, key in emails.items()
        ]
        if new:
            User.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
            held = User.objects.filter(email__in=list(emails)).values_list("email", "id")
            self._ids |= {emails[email]: id_ for email, id_ in held}
        return self._ids

    def _email(self, space: str, name: str) -> str:
        """The same person for the same name in one project, and in one source where names are no ids."""
        told = sha256(f"{space}\0{name}".encode()).hexdigest()[:24]
        return f"{told}@project-{self._project.pk}.{DOMAIN}"
