"""Make an API token for somebody, and print nothing but the token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.access import role_in
from accounts.models import Project, Scope, User
from accounts.tokens import issue_token


class Command(BaseCommand):
    help = (
        "Print a new API token for EMAIL, and nothing else. Without --scope it is `admin`: it may do all that the "
        "person may do. Without --project it reaches every project of that person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose token it is")
        parser.add_argument("--project", metavar="SLUG", help="bind the token to one project")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.ADMIN.value, help="default: admin")
        parser.add_argument("--days", type=int, metavar="N", help="let it expire after N days; default: never")
        parser.add_argument("--name", default="made by create_token", help="what the page API tokens calls it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _user(options["email"])
        project = _project(options["project"], user) if options["project"] else None
        _, clear = issue_token(
            user=user,
            scope=Scope(options["scope"]),
            project=project,
            name=options["name"],
            expires_at=_expiry(options["days"]),
        )
        self.stdout.write(clear)


def _user(email: str) -> User:
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise CommandError(
            f"Nobody here has the e-mail {email}. Make an account first: "
            f"DJANGO_SUPERUSER_EMAIL={email} DJANGO_SUPERUSER_PASSWORD=... python manage.py createsuperuser --noinput"
        )
    if not user.is_active:
        raise CommandError(f"The account {email} is switched off; a token for it would not work.")
    return user


def _project(slug: str, user: User) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise CommandError(f"There is no project {slug}.")
    if role_in(user, project) is None:
        raise CommandError(f"{user.email} is no member of {slug}; invite them first.")
    return project


def _expiry(days: int | None) -> Any:
    if days is None:
        return None
    if days < 1:
        raise CommandError("--days must be 1 or more.")
    return timezone.now() + timedelta(days=days)
