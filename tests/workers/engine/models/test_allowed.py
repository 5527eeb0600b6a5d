"""Which servers are reached at all: by list, by address, by key."""

from __future__ import annotations

import ipaddress

import pytest

from workers.engine.bench import Unworkable
from workers.engine.models.allowed import Server, Servers, canonical, is_public


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://gpu.example:8000", "http://gpu.example:8000/v1"),
        ("HTTP://gpu.example/v1/".replace("HTTP", "http"), "http://gpu.example/v1"),
        ("https://GPU.example:443/v1", "https://gpu.example/v1"),
        ("http://[2606:4700::1]:8000/v1", "http://[2606:4700::1]:8000/v1"),
        ("https://host.example/some/model/v1/", "https://host.example/some/model/v1"),
    ],
)
def test_a_url_is_the_same_however_it_is_written(written: str, meant: str) -> None:
    assert canonical(written) == meant
    assert canonical(meant) == meant


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://host/v1", "file:///etc/passwd", "http://", "http://user:pw@host/v1", "http://host/v1?key=1",
        "http://host/v1#part", "http://host/../secret", "http://host:99999/v1", "http://ho st/v1", "http://host\n/v1",
        "http://host\\@other/v1", "http://[::1/v1", "http://höst/v1", "//host/v1",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(Unworkable, match=r"\."):
        canonical(url)


@pytest.mark.parametrize(
    ("address", "is_it"),
    [
        ("93.184.215.14", True), ("2606:4700::1", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("0.0.0.0", False), ("224.0.0.1", False), ("168.63.129.16", False), ("::1", False), ("fe80::1", False),
        ("fd00:ec2::254", False), ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::5db8:d70e", True), ("64:ff9b:1::5db8:d70e", False),
        ("2002:5db8:d70e::1", False), ("2001:0:5db8:d70e::1", False), ("::ffff:93.184.215.14", True),
        ("::", False), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_addresses_of_a_house_are_not_public_however_they_are_dressed(address: str, is_it: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is is_it


def test_a_private_address_is_used_where_the_operator_names_host_and_port() -> None:
    servers = Servers(private=frozenset({"gpu.lan:8000", "[::1]:9000", "169.254.7.7:80"}))
    servers.check_address("gpu.lan", 8000, "10.0.0.7")
    servers.check_address("GPU.lan", 8000, "127.0.0.1")
    servers.check_address("::1", 9000, "::1")
    servers.check_address("169.254.7.7", 80, "169.254.7.7")
    for host, port, address in [
        ("gpu.lan", 8001, "10.0.0.7"),
        ("other.lan", 8000, "10.0.0.7"),
        # A name that was turned to where clouds keep their secrets is refused even then.
        ("gpu.lan", 8000, "169.254.169.254"),
        ("gpu.lan", 8000, "fd00:ec2::254"),
    ]:
        with pytest.raises(Unworkable, match="WINNOW_PRIVATE_MODEL_SERVERS"):
            servers.check_address(host, port, address)


def test_a_server_that_is_not_listed_is_not_reached() -> None:
    servers = Servers((Server("https://gpu.example/v1", "qwen"),))
    assert servers.at("https://gpu.example:443/v1/").tokenizer == "qwen"
    for other in ("https://gpu.example:8000/v1", "http://gpu.example/v1", "https://gpu.example/v2"):
        with pytest.raises(Unworkable, match="not on this project's list"):
            servers.at(other)


def test_a_key_goes_to_its_own_server_only_and_is_never_shown() -> None:
    servers = Servers((), frozenset(), {"https://gpu.example": "s3cret"})
    assert servers.key("https://gpu.example/v1") == "s3cret"
    assert servers.key("http://gpu.example/v1") == servers.key("https://other.example/v1") == ""
    assert "s3cret" not in repr(servers)
