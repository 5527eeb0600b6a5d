"""The embedded Redis: a broker on a Unix socket that may lose everything, since the ledger is in PostgreSQL."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from winnow.embedded.binaries import redis_server
from winnow.environment import Environment


@dataclass(frozen=True)
class EmbeddedRedis:
    data_dir: Path
    socket_path: Path

    def command(self) -> list[str]:
        """The server in the foreground; whoever starts it looks after it."""
        return [
            str(redis_server()),
            "--port", "0",
            "--unixsocket", str(self.socket_path),
            "--unixsocketperm", "700",
            "--dir", str(self.data_dir),
            "--appendonly", "no",
            "--save", "",
            "--daemonize", "no",
            "--maxmemory-policy", "noeviction",
        ]  # fmt: skip

    def prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def is_alive(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(7).startswith(b"+PONG")
        except OSError:
            return False


def redis_of(env: Environment) -> EmbeddedRedis:
    return EmbeddedRedis(data_dir=env.home / "redis", socket_path=env.redis_socket)
