"""The command prints the token alone, and says on stderr what is wrong."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, Project, User


def _printed(*args: str) -> str:
    out = StringIO()
    call_command("create_token", *args, stdout=out)
    return out.getvalue()


def test_it_prints_the_token_alone_and_it_may_do_all_that_the_person_may(client: Client, owner: User) -> None:
    printed = _printed("OWNER@example.org")
    assert printed.count("\n") == 1 and printed.startswith("wnw_")
    headers = {"Authorization": f"Bearer {printed.strip()}"}
    made = client.post("/api/v1/projects", {"slug": "tea", "name": "Tea"}, "application/json", headers=headers)
    assert made.status_code == 201


def test_it_takes_project_scope_and_days(curator: User, project: Project) -> None:
    _printed(curator.email, "--project", "demo", "--scope", "read", "--days", "3")
    token = ApiToken.objects.get()
    assert token.project == project and token.scope == "read" and token.expires_at is not None


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nobody@example.org"], "Nobody here has the e-mail nobody@example.org"),
        (["stranger@example.org", "--project", "demo"], "no member of demo"),
        (["stranger@example.org", "--project", "none"], "no project none"),
        (["stranger@example.org", "--days", "0"], "1 or more"),
        (["stranger@example.org", "--scope", "all"], "invalid choice"),
    ],
)
def test_a_mistake_is_a_sentence(stranger: User, project: Project, args: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        _printed(*args)
    assert not ApiToken.objects.exists()
