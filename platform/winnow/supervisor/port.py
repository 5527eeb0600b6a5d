"""The listening socket, claimed before anything slow starts and kept when the web part is started again."""

from __future__ import annotations

import errno
import socket
import time

from winnow.environment import Environment

PORTS_TO_TRY = 50
# A server that was just told to stop may need a moment to let go.
PATIENCE = 2.0
BACKLOG = 512


class PortBusy(Exception):
    """Nothing can listen where the operator asked; the message says what to do."""


def claim_port(env: Environment) -> socket.socket:
    """The port of WINNOW_PORT or none; without it, the first free one from 8000 on."""
    if "port" in env.model_fields_set:
        return _claim_exactly(env.host, env.port)
    for port in range(env.port, env.port + PORTS_TO_TRY):
        try:
            return _listen(env.host, port)
        except OSError as error:
            _raise_unless_busy(error, env.host, port)
    raise PortBusy(f"Ports {env.port} to {env.port + PORTS_TO_TRY - 1} are all busy; set WINNOW_PORT to a free one.")


def _claim_exactly(host: str, port: int) -> socket.socket:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            _raise_unless_busy(error, host, port)
            if time.monotonic() > end:
                raise PortBusy(
                    f"Port {port} (WINNOW_PORT) is used by another program. Stop it, set another WINNOW_PORT, or leave "
                    "WINNOW_PORT out to take the next free one."
                ) from None
        time.sleep(0.1)


def _raise_unless_busy(error: OSError, host: str, port: int) -> None:
    if error.errno == errno.EADDRINUSE:
        return
    if isinstance(error, PermissionError):
        raise PortBusy(f"Only root may listen on port {port}; set WINNOW_PORT to 1024 or more.") from None
    raise PortBusy(f"Cannot listen on {host}, port {port}: {error.strerror}. Check WINNOW_HOST.") from None


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # At once: of two that are bound only, the second learns too late that the port is taken.
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
