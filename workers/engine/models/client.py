"""The one way to a model server: to listed servers only, at public addresses, with bounds on everything.

Guards
    Only servers of the project's list. A name is resolved once per connection, every address is judged, and the
    connection goes to the very address that was judged, so that a name cannot turn to another afterwards. Redirects
    are not followed, proxies of the environment are not used, answers are read up to a bound and never unpacked.

Faults
    429, 5xx, lost connections and unreadable answers are tried again with growing pauses; after that comes
    ServerTrouble, which is no Unworkable: whoever asked may ask again later. Waiting, whether for an answer or for the
    next try, hears the wish to stop within half a second.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpcore

from workers.engine.bench import Unworkable
from workers.engine.models.allowed import Servers

R = TypeVar("R")
Stop = Callable[[], None]

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
MOST_BYTES = 64 * 2**20
# Pauses between tries, in seconds: a minute in all, so that a server that is started again is waited for.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
LONGEST_PAUSE = 30.0
POLL_SECONDS = 0.25
PASSING = {408, 425, 429, 500, 502, 503, 504, 529}
QUOTED = 300


class ServerTrouble(Exception):
    """The server did not answer as it should; another time it may. The message names the server and no key."""


class Answered(Exception):
    """The server answers, and says no: `status` 4xx or 501, and its words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words}".strip())
        self.status, self.words = status, words


class Garbled(Exception):
    """An answer that is not what was asked for; raised by whoever reads it."""


@dataclass(frozen=True)
class Patience:
    connect: float = CONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    pauses: Sequence[float] = field(default_factory=lambda: PAUSES)
    # An answer that took too long is seldom faster the next time.
    late: int = 1


def _go_on() -> None:
    pass


class Client:
    """Speaks with one server of the list; may be used by several threads."""

    def __init__(
        self,
        servers: Servers,
        url: str,
        *,
        patience: Patience | None = None,
        most_bytes: int = MOST_BYTES,
        connections: int = 16,
    ) -> None:
        self.url = servers.at(url).url
        self.root = self.url.removesuffix("/v1")
        self.patience, self.most_bytes = patience or Patience(), most_bytes
        self._key = servers.key(self.url)
        self._turn = _Turn()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpcore.default_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Guarded(servers, self._turn),
        )

    def get(self, path: str, *, stop: Stop = _go_on, read: Callable[[Any], R]) -> R:
        return self._asked("GET", path, None, stop, read)

    def post(self, path: str, body: Mapping[str, Any], *, stop: Stop = _go_on, read: Callable[[Any], R]) -> R:
        """`path` behind the server's URL, or behind its root where it begins with two slashes; what `read` makes of
        the JSON. Raises Answered where the server says no, ServerTrouble where it stays out of order."""
        return self._asked("POST", path, body, stop, read)

    def close(self) -> None:
        self._pool.close()

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None, stop: Stop, read: Callable[[Any], R]) -> R:
        late, pauses = 0, iter(self.patience.pauses)
        while True:
            stop()
            wait = 0.0
            try:
                return read(self._once(method, path, body, stop))
            except _Passing as reason:
                what, wait = str(reason), reason.wait
            except Garbled as reason:
                what = f"its answer cannot be read ({reason})"
            except (httpcore.ReadTimeout, httpcore.WriteTimeout, httpcore.PoolTimeout):
                what = f"no answer within {self.patience.answer:.0f} seconds"
                late += 1
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as reason:
                if isinstance(reason.__cause__ or reason.__context__, ssl.SSLCertVerificationError):
                    raise Unworkable(f"The certificate of {self.url} is not valid for this machine.") from None
                what = f"no connection ({reason or type(reason).__name__})"
            except (httpcore.NetworkError, httpcore.ProtocolError) as reason:
                what = f"the connection broke ({reason or type(reason).__name__})"
            pause = next(pauses, None)
            if pause is None or late > self.patience.late:
                raise ServerTrouble(f"The model server {self.url} is out of order: {what}.")
            _rest(min(max(pause, wait), LONGEST_PAUSE), stop)

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None, stop: Stop) -> Any:
        where = self.root + path[1:] if path.startswith("//") else self.url + path
        content = None if body is None else json.dumps(body).encode()
        self._turn.begin(stop, self.patience.answer)
        limits = {"connect": self.patience.connect, "read": None, "write": 30.0, "pool": self.patience.answer}
        with self._pool.stream(
            method, where, headers=self._headers(content), content=content, extensions={"timeout": limits}
        ) as response:
            if 300 <= response.status < 400:
                raise Unworkable(
                    f"{self.url} sends its callers elsewhere, which is not followed; list the server that it leads to."
                )
            packed = _header(response, b"content-encoding") or b"identity"
            if packed != b"identity":
                raise Garbled("packed, which was not asked for")
            found = self._body(response)
            wait = _retry_after(response)
        if response.status != 200:
            self._said_no(response.status, found, wait)
        try:
            return json.loads(found)
        except (ValueError, RecursionError):
            raise Garbled("no JSON") from None

    def _headers(self, content: bytes | None) -> list[tuple[bytes, bytes]]:
        headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity"), (b"user-agent", b"winnow")]
        if content is not None:
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        if self._key:
            headers.append((b"authorization", b"Bearer " + self._key.encode()))
        return headers

    def _body(self, response: httpcore.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_stream():
            size += len(part)
            if size > self.most_bytes:
                raise ServerTrouble(
                    f"The model server {self.url} is out of order: its answer is larger than {self.most_bytes:,} bytes."
                )
            parts.append(part)
        return b"".join(parts)

    def _said_no(self, status: int, found: bytes, wait: float) -> None:
        words = self._words(found)
        if status in PASSING:
            raise _Passing(f"it answers {status} {words}".strip(), wait)
        if status in (401, 403):
            what = "the key that it was given" if self._key else "a call without a key"
            raise Unworkable(
                f"The model server {self.url} refuses {what} ({status}). An operator sets it by {self.url}=KEY in "
                "WINNOW_MODEL_SERVER_KEYS."
            )
        raise Answered(status, words) if 400 <= status < 500 or status == 501 else Garbled(f"status {status}")

    def _words(self, found: bytes) -> str:
        """What the server says, cut short; some repeat the key they were given."""
        text = found[: 20 * QUOTED].decode("utf-8", "replace")
        try:
            told = json.loads(found)
            told = told.get("error", told) if isinstance(told, dict) else told
            said = told.get("message") or told.get("detail") if isinstance(told, dict) else told
            text = said if isinstance(said, str) else text
        except (ValueError, RecursionError):
            pass
        if self._key:
            text = text.replace(self._key, "...")
        return " ".join(text.split())[:QUOTED]


class _Passing(Exception):
    def __init__(self, words: str, wait: float) -> None:
        super().__init__(words)
        self.wait = wait


class _Turn(threading.local):
    """What the request that this thread has under way may take."""

    until = float("inf")
    stop: Stop = staticmethod(_go_on)

    def begin(self, stop: Stop, seconds: float) -> None:
        self.stop, self.until = stop, time.monotonic() + seconds


class _Guarded(httpcore.NetworkBackend):
    def __init__(self, servers: Servers, turn: _Turn) -> None:
        self._servers, self._turn, self._plain = servers, turn, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(f"the name {host} leads nowhere") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            self._servers.check_address(host, port, address)
        for address in addresses[:-1]:
            try:
                return self._connected(address, port, timeout, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                self._turn.stop()
        return self._connected(addresses[-1], port, timeout, socket_options)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise Unworkable("A model server is reached over the network only.")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _connected(
        self, address: str, port: int, timeout: float | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        return _Watched(self._plain.connect_tcp(address, port, timeout, None, options), self._turn)


class _Watched(httpcore.NetworkStream):
    """Waits in short slices, so that a wish to stop is heard and an answer that drips in ends in time."""

    def __init__(self, stream: httpcore.NetworkStream, turn: _Turn) -> None:
        self._stream, self._turn = stream, turn

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            self._turn.stop()
            if time.monotonic() > self._turn.until:
                raise httpcore.ReadTimeout
            try:
                return self._stream.read(max_bytes, POLL_SECONDS)
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Watched(self._stream.start_tls(ssl_context, server_hostname, timeout), self._turn)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _retry_after(response: httpcore.Response) -> float:
    told = _header(response, b"retry-after").decode("latin-1")
    return float(told) if told.isdigit() else 0.0


def _rest(seconds: float, stop: Stop) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        stop()
        time.sleep(min(left, POLL_SECONDS))


def _header(response: httpcore.Response, name: bytes) -> bytes:
    return next((value for key, value in response.headers if key.lower() == name), b"")
