from __future__ import annotations

import socket

import pytest
from pydantic import ValidationError

from winnow.environment import Environment, mistakes_of
from winnow.mail import mail_settings


def test_without_a_setting_the_server_answers_to_its_own_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WINNOW_ALLOWED_HOSTS", raising=False)
    monkeypatch.setenv("WINNOW_HOST", "0.0.0.0")
    hosts = Environment().hosts
    assert {"localhost", "127.0.0.1", "[::1]", socket.gethostname()} == set(hosts)


def test_the_host_it_listens_on_is_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_HOST", "10.1.2.3")
    assert "10.1.2.3" in Environment().hosts


def test_named_hosts_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_ALLOWED_HOSTS", "a.example, b.example,")
    assert Environment().hosts == ["a.example", "b.example"]


def test_mail_is_printed_unless_a_server_is_named() -> None:
    assert mail_settings("").backend.endswith("console.EmailBackend")
    mail = mail_settings("smtp://me:p%40ss@mail.example:2525")
    assert (mail.host, mail.port, mail.user, mail.password) == ("mail.example", 2525, "me", "p@ss")
    assert mail.is_starttls and not mail.is_tls
    assert mail_settings("smtps://mail.example").port == 465


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_a_mail_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="WINNOW_MAIL_URL"):
        mail_settings(url)


def test_model_servers_are_named_with_their_ports_and_keys_with_their_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_PRIVATE_MODEL_SERVERS", "GPU.lan:8000, [::1]:9000")
    monkeypatch.setenv("WINNOW_MODEL_SERVER_KEYS", "https://a.example/v1=k=1== http://b.example=k2")
    found = Environment()
    assert found.allowed_private == {"gpu.lan:8000", "[::1]:9000"}
    assert found.keys_of_model_servers == {"https://a.example/v1": "k=1==", "http://b.example": "k2"}
    assert "k=1" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WINNOW_PRIVATE_MODEL_SERVERS", "gpu.lan"),
        ("WINNOW_PRIVATE_MODEL_SERVERS", "http://gpu.lan:8000"),
        ("WINNOW_MODEL_SERVER_KEYS", "s3cret"),
        ("WINNOW_MODEL_SERVER_KEYS", "https://a.example/v1="),
    ],
)
def test_a_model_server_that_cannot_be_meant_stops_the_boot(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as error:
        Environment()
    assert "s3cret" not in " ".join(mistakes_of(error.value)) and name in " ".join(mistakes_of(error.value))
