"""E-mail login, lock-out, logging out, and the password pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User

PASSWORD = "correct horse battery"


def _login(client: Client, email: str, password: str, **more: str) -> HttpResponse:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})  # type: ignore[return-value]


def test_the_right_password_logs_in_and_goes_where_one_wanted_to(client: Client, owner: User) -> None:
    page = client.get("/accounts/login/?next=/tokens/")
    assert b'name="next" value="/tokens/"' in page.content
    answer = _login(client, owner.email, PASSWORD, next="/tokens/")
    assert answer.status_code == 302 and answer["Location"] == "/tokens/"
    assert client.get("/tokens/").status_code == 200


def test_the_e_mail_counts_in_any_case(client: Client, owner: User) -> None:
    assert _login(client, " OWNER@Example.org ", PASSWORD).status_code == 302


def test_next_never_leads_to_another_site(client: Client, owner: User) -> None:
    answer = _login(client, owner.email, PASSWORD, next="https://elsewhere.example/")
    assert answer["Location"] == "/"


def test_the_wrong_password_says_so_and_nothing_else(client: Client, owner: User) -> None:
    known, unknown = _login(client, owner.email, "wrong"), _login(client, "nobody@example.org", "wrong")
    sentence = re.search(r"The email address[^<]*", known.content.decode())
    assert sentence and sentence.group() in unknown.content.decode()


def test_the_eighth_failure_locks_this_e_mail_from_this_address(client: Client, owner: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = _login(client, owner.email, "wrong")
    assert answer.status_code == 429
    assert "closed for another 15 minutes" in answer.content.decode()
    right = _login(client, owner.email, PASSWORD)
    assert right.status_code == 429 and 0 < int(right["Retry-After"]) <= 900
    assert client.get("/tokens/").status_code == 302


def test_another_spelling_of_the_e_mail_is_locked_too(client: Client, owner: User) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        _login(client, owner.email.upper() if number % 2 else owner.email, "wrong")
    assert _login(client, owner.email.title(), PASSWORD).status_code == 429


def test_a_lock_is_for_one_e_mail_and_one_address(client: Client, owner: User, stranger: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        _login(client, owner.email, "wrong")
    assert _login(client, stranger.email, PASSWORD).status_code == 302
    assert _login(Client(REMOTE_ADDR="192.0.2.7"), owner.email, PASSWORD).status_code == 302


def test_a_lock_ends(client: Client, owner: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        _login(client, owner.email, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert _login(client, owner.email, PASSWORD).status_code == 302


def test_trying_while_locked_does_not_make_it_longer(client: Client, owner: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        _login(client, owner.email, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    assert "another 5 minutes" in _login(client, owner.email, "wrong").content.decode()


def test_a_success_forgets_the_failures_before_it(client: Client, owner: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        _login(client, owner.email, "wrong")
    _login(client, owner.email, PASSWORD)
    assert not AccessAttempt.objects.exists()


def test_an_address_that_a_client_made_up_does_not_escape_the_lock(client: Client, owner: User) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        client.post(
            "/accounts/login/", {"login": owner.email, "password": "x"}, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}"
        )
    assert _login(client, owner.email, PASSWORD).status_code == 429


@pytest.mark.parametrize("email", ["a\0b@example.org", "x" * 5000, "\ud83d@example.org", ""])
def test_odd_input_is_refused_and_breaks_nothing(client: Client, db: None, email: str) -> None:
    answer = client.post(
        "/accounts/login/",
        {"login": email.encode("utf-8", "replace").decode(), "password": "p\0w"},
    )
    assert answer.status_code == 200


def test_strangers_cannot_sign_up(client: Client, db: None) -> None:
    assert client.get("/accounts/signup/").status_code == 404
    assert client.post("/accounts/signup/", {"email": "new@example.org"}).status_code == 404


def test_a_switched_off_account_cannot_log_in(client: Client, owner: User) -> None:
    owner.is_active = False
    owner.save()
    _login(client, owner.email, PASSWORD)
    assert client.get("/tokens/").status_code == 302


def test_logging_out_takes_a_post(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert "Log out?" in client.get("/accounts/logout/").content.decode()
    assert client.get("/tokens/").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/tokens/").status_code == 302


def test_a_forgotten_password_is_replaced_by_mail(client: Client, owner: User) -> None:
    assert client.get("/accounts/password/reset/").status_code == 200
    assert client.post("/accounts/password/reset/", {"email": owner.email}).status_code == 302
    link = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert link
    form = client.get(link.group(1), follow=True)
    assert "Set password" in form.content.decode()
    action = form.redirect_chain[-1][0]
    new = "a new and longer phrase"
    done = client.post(action, {"password1": new, "password2": new}, follow=True)
    assert "The new password is set" in done.content.decode()
    assert _login(Client(), owner.email, new).status_code == 302
    assert "does not work any more" in Client().get(link.group(1), follow=True).content.decode()


def test_the_reset_page_does_not_tell_who_has_an_account(client: Client, owner: User) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True)
    assert "Look into your mail" in answer.content.decode()
    assert not mail.outbox


def test_a_password_is_changed_by_whoever_knows_the_old_one(client: Client, owner: User) -> None:
    assert client.get("/accounts/password/change/").status_code == 302
    client.force_login(owner)
    assert client.get("/accounts/password/change/").status_code == 200
    new = "a new and longer phrase"
    client.post("/accounts/password/change/", {"oldpassword": "wrong", "password1": new, "password2": new})
    assert _login(Client(), owner.email, new).status_code == 200
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert _login(Client(), owner.email, new).status_code == 302
    assert client.get("/tokens/").status_code == 200


def test_a_superuser_is_made_by_environment_alone(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Example.org")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough phrase")
    call_command("createsuperuser", interactive=False, verbosity=0)
    assert User.objects.get(email="root@example.org").is_superuser
    assert _login(client, "root@example.org", "a long enough phrase").status_code == 302
