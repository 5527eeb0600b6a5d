"""The guarded client against real sockets: what it refuses, what it waits for, what it never says."""

from __future__ import annotations

import http.server
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.workers.model_server import servers_of
from workers.engine.bench import Unworkable
from workers.engine.models.allowed import Server, Servers
from workers.engine.models.client import Answered, Client, Patience, ServerTrouble

QUICK = Patience(connect=2.0, answer=2.0, pauses=(0.01, 0.01, 0.01))


class Stopped(Exception):
    pass


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers as the test's list says, one after the other; the last one again and again."""

    script: list[Any]
    seen: list[dict[str, str]]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(step, float):
            time.sleep(step)
            step = (200, b"{}", {})
        status, content, headers = step
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            for _ in range(100 if content == "drip" else 0):
                self.wfile.write(b" ")
                time.sleep(0.05)
            while content == "endless":
                self.wfile.write(b" " * 65536)
            if isinstance(content, bytes):
                self.wfile.write(content)


@contextmanager
def answering(*script: Any) -> Iterator[tuple[str, list[dict[str, str]]]]:
    handler = type("Handler", (Answers,), {"script": list(script), "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", handler.seen  # type: ignore[attr-defined]  # made above
    finally:
        server.shutdown()
        server.server_close()


def asking(url: str, servers: Servers | None = None, *, patience: Patience = QUICK, **more: Any) -> Any:
    client = Client(servers or servers_of(url), url, patience=patience, **more)
    try:
        return client.get("/models", read=lambda told: told)
    finally:
        client.close()


GOOD: Any = (200, b'{"a": 1}', {})


@pytest.mark.parametrize("first", [(429, b"", {}), (500, b"no", {}), (503, b"", {"Retry-After": "0"}), "hang up"])
def test_it_tries_again_after_what_passes(first: Any) -> None:
    with answering(first, first, GOOD) as (url, seen):
        assert asking(url) == {"a": 1}
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ((503, b'{"error": {"message": "loading"}}', {}), "answers 503 loading"),
        ("hang up", "connection broke"),
        ((200, b"<html>", {}), "no JSON"),
        ((200, b"[" * 200_000, {}), "no JSON"),
        ((200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), "packed"),
    ],
)
def test_what_does_not_pass_is_trouble_and_no_fault_of_the_request(last: Any, words: str) -> None:
    with answering(last) as (url, seen), pytest.raises(ServerTrouble, match=words) as told:
        asking(url)
    assert len(seen) == 4 and not isinstance(told.value, Unworkable)


def test_nobody_at_home_is_trouble() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ServerTrouble, match="no connection"):
        asking(url)


@pytest.mark.parametrize("slow", [5.0, (200, "drip", {})])
def test_an_answer_that_takes_too_long_ends_in_time(slow: Any) -> None:
    began = time.monotonic()
    with answering(slow) as (url, _), pytest.raises(ServerTrouble, match="within"):
        asking(url, patience=Patience(answer=0.3, pauses=(0.01,), late=0))
    assert time.monotonic() - began < 2


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with answering((200, "endless", {})) as (url, seen), pytest.raises(ServerTrouble, match="larger than 1,000,000"):
        asking(url, most_bytes=1_000_000)
    assert len(seen) == 1


def test_a_redirect_is_not_followed() -> None:
    with (
        answering(GOOD) as (inner, seen),
        answering((302, b"", {"Location": f"{inner}/models"})) as (url, _),
        pytest.raises(Unworkable, match="elsewhere"),
    ):
        asking(url)
    assert seen == []


def test_a_loopback_address_is_refused_unless_the_operator_names_it() -> None:
    with answering(GOOD) as (url, seen):
        port = url.split(":")[2].partition("/")[0]
        with pytest.raises(Unworkable, match="no public address"):
            asking(url, Servers((Server(url),)))
        by_name = f"http://localhost:{port}/v1"
        with pytest.raises(Unworkable, match="no public address"):
            asking(by_name, Servers((Server(by_name),), frozenset({f"127.0.0.2:{port}"})))
        assert seen == []
        assert asking(by_name, Servers((Server(by_name),), frozenset({f"localhost:{port}"}))) == {"a": 1}


def test_a_name_that_leads_to_a_private_address_is_refused_where_it_is_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name may turn between two look-ups: it is looked up once, and the connection goes to what was judged."""
    asked = []
    real = socket.getaddrinfo

    def turning(host: str, *args: Any, **more: Any) -> Any:
        if host == "turning.example":
            asked.append(host)
            return real("127.0.0.1", *args, **more)
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    with answering(GOOD) as (url, seen):
        port = url.split(":")[2].partition("/")[0]
        rebound = f"http://turning.example:{port}/v1"
        with pytest.raises(Unworkable, match=r"leads to 127\.0\.0\.1"):
            asking(rebound, Servers((Server(rebound),)))
        assert len(asked) == 1 and seen == []
        asked.clear()
        assert asking(rebound, Servers((Server(rebound),), frozenset({f"turning.example:{port}"}))) == {"a": 1}
        assert len(asked) == 1
    # Among several addresses one of the house is enough.
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    )
    with pytest.raises(Unworkable, match=r"leads to 10\.0\.0\.1"):
        asking("http://turning.example/v1", Servers((Server("http://turning.example/v1"),)))


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(GOOD) as (url, _):
        assert asking(url) == {"a": 1}


@pytest.mark.parametrize("status", [401, 400, 500])
def test_a_key_is_sent_and_never_told(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = b'{"error": {"message": "no such key: Bearer s3cret-key"}}'
    with (
        answering((status, told, {})) as (url, seen),
        pytest.raises((Unworkable, Answered, ServerTrouble)) as error,
    ):
        asking(url, servers_of(url, key="s3cret-key"))
    assert seen[0]["authorization"] == "Bearer s3cret-key"
    assert "s3cret" not in str(error.value) + repr(error.value) + caplog.text


def test_a_server_that_wants_a_key_says_how_to_give_it() -> None:
    with answering((401, b"", {})) as (url, seen), pytest.raises(Unworkable, match="WINNOW_MODEL_SERVER_KEYS"):
        asking(url)
    assert "authorization" not in seen[0]


def test_a_wish_to_stop_is_heard_while_it_waits() -> None:
    began = time.monotonic()

    def stop() -> None:
        if time.monotonic() - began > 0.3:
            raise Stopped

    for script in (5.0, (503, b"", {"Retry-After": "20"})):
        began = time.monotonic()
        with answering(script) as (url, _), pytest.raises(Stopped):
            Client(servers_of(url), url).get("/models", stop=stop, read=lambda told: told)
        assert time.monotonic() - began < 2
