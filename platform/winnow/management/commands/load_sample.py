"""The demo project: the bundled sample, an owner to log in as, and simulated votes."""

from __future__ import annotations

import importlib.util
import secrets
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.create_project import create_project
from accounts.models import Membership, Project, Role, User
from corpus import sample

SLUG = "demo"
EMAIL = "demo@winnow.example"


class Command(BaseCommand):
    help = "Make the project `demo` with the bundled sample and simulated votes. Doing it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default=EMAIL, help=f"who owns the project; default: {EMAIL}")
        parser.add_argument("--password", help="the owner's; default: made up for a new account, else left as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        owner, password = demo_owner(options["email"], options["password"])
        project = demo_project(owner)
        done = sample.load(project)
        votes = _simulate_votes(project)
        self.stdout.write(f"Project {project.slug}: {done['accepted']} accepted, {done['unchanged']} unchanged.")
        if votes is not None:
            self.stdout.write("Simulated votes are there; they are marked as simulated wherever they appear.")
        self.stdout.write(f"Log in as {owner.email} with the password {password or 'that it already has'}")


@transaction.atomic
def demo_owner(email: str, password: str | None) -> tuple[User, str | None]:
    """The account, and its password where it is known."""
    owner = User.objects.filter(email__iexact=email).first()
    if owner is None:
        password = password or secrets.token_urlsafe(9)
        return User.objects.create_user(email, password, name="Demo owner"), password
    if password:
        owner.set_password(password)
        owner.save(update_fields=["password"])
    return owner, password


@transaction.atomic
def demo_project(owner: User) -> Project:
    project = Project.objects.filter(slug=SLUG).first() or create_project(slug=SLUG, name="Demo", by=owner)
    Membership.objects.get_or_create(user=owner, project=project, defaults={"role": Role.OWNER})
    return project


def _simulate_votes(project: Project) -> Any:
    if importlib.util.find_spec("annotation.simulate") is None:
        return None
    import_module("annotation.simulate").simulate_votes(project=project)
    return True
