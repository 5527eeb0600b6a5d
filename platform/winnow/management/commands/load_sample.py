"""The demo project: the bundled sample, an owner to log in as, simulated votes, and a campaign of each kind to try."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.create_project import create_project
from accounts.models import Membership, Project, Role, User
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign
from annotation.simulate import simulate_votes
from corpus import sample

SLUG = "demo"
EMAIL = "demo@winnow.example"
TO_TRY: dict[str, dict[str, Any]] = {
    "Rate responses": {"preset": "helpsteer"},
    "Check responses": {"preset": "rubric_check"},
    "Rank responses": {"kind": "ranking"},
}


class Command(BaseCommand):
    help = "Make the project `demo` with the bundled sample and simulated votes. Doing it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default=EMAIL, help=f"who owns the project; default: {EMAIL}")
        parser.add_argument("--password", help="the owner's; default: made up once and kept in WINNOW_HOME")

    def handle(self, *args: Any, **options: Any) -> None:
        owner, password = demo_owner(options["email"], options["password"])
        project = demo_project(owner)
        done = sample.load(project)
        simulate_votes(project=project)
        campaigns_to_try(project, owner)
        self.stdout.write(f"Project {project.slug}: {done['accepted']} accepted, {done['unchanged']} unchanged.")
        self.stdout.write("Its votes are simulated, and marked so wherever they appear.")
        if not (Path(settings.WINNOW_HOME) / "models").exists():
            self.stdout.write("Methods that need language models: `manage.py make_tiny_models` makes toys to try with.")
        self.stdout.write(f"Log in as {owner.email} with the password {password}")


@transaction.atomic
def demo_owner(email: str, wanted_password: str | None) -> tuple[User, str]:
    """The account with its password, which a newcomer finds again at every start."""
    owner = User.objects.filter(email__iexact=email).first()
    if owner is None:
        owner = User.objects.create_user(email, None, name="Demo owner")
    password = wanted_password or _kept_password() or secrets.token_urlsafe(9)
    if not owner.check_password(password):
        owner.set_password(password)
        owner.save(update_fields=["password"])
    _keep_password(password)
    return owner, password


def _password_file() -> Path:
    return Path(settings.WINNOW_HOME) / "demo_password"


def _kept_password() -> str:
    path = _password_file()
    return path.read_text().strip() if path.exists() else ""


def _keep_password(password: str) -> None:
    with os.fdopen(os.open(_password_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(password)


@transaction.atomic
def demo_project(owner: User) -> Project:
    project = Project.objects.filter(slug=SLUG).first() or create_project(slug=SLUG, name="Demo", by=owner)
    Membership.objects.get_or_create(user=owner, project=project, defaults={"role": Role.OWNER})
    return project


def campaigns_to_try(project: Project, owner: User) -> None:
    """The judgment kinds that no vote of the demo shows; comparing is there already."""
    held = set(Campaign.objects.filter(project=project, name__in=TO_TRY).values_list("name", flat=True))
    for name in [name for name in TO_TRY if name not in held]:
        create_campaign(project=project, name=name, created_by=owner, **TO_TRY[name])
