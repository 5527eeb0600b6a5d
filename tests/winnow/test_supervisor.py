"""The pieces of `up` that need no whole site: the port, the pauses, one part."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from winnow.environment import Environment
from winnow.supervisor.part import HEALTHY_AFTER, LONGEST_PAUSE, BackOff, Part, open_log
from winnow.supervisor.port import PortBusy, claim_port
from winnow.supervisor.screen import Screen


@pytest.fixture
def busy_port() -> int:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    _kept.append(listener)
    return int(listener.getsockname()[1])


_kept: list[socket.socket] = []


def test_the_next_free_port_is_taken_when_none_was_asked_for(busy_port: int) -> None:
    env = Environment.model_construct(_fields_set=set(), host="127.0.0.1", port=busy_port)
    with claim_port(env) as listener:
        assert busy_port < listener.getsockname()[1] < busy_port + 50


def test_a_port_that_was_asked_for_is_never_another(busy_port: int) -> None:
    env = Environment.model_construct(_fields_set={"port"}, host="127.0.0.1", port=busy_port)
    with pytest.raises(PortBusy, match=f"Port {busy_port}"):
        claim_port(env)


def test_two_that_start_at_once_do_not_claim_the_same_port(busy_port: int) -> None:
    env = Environment.model_construct(_fields_set=set(), host="127.0.0.1", port=busy_port)
    with claim_port(env) as first, claim_port(env) as second:
        assert first.getsockname() != second.getsockname()


def test_a_host_that_is_not_here_is_named() -> None:
    env = Environment.model_construct(_fields_set={"port"}, host="192.0.2.1", port=8000)
    with pytest.raises(PortBusy, match="Check WINNOW_HOST"):
        claim_port(env)


def test_pauses_grow_and_are_short_again_after_a_healthy_life() -> None:
    back_off = BackOff()
    back_off.started()
    pauses = [back_off.ended() for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert pauses[-1] == LONGEST_PAUSE
    back_off.started_at = time.monotonic() - HEALTHY_AFTER - 1
    assert back_off.ended() <= 1


@pytest.fixture
def sleeper(tmp_path: Path) -> Callable[[str], Part]:
    def part(code: str) -> Part:
        return Part("sleeper", [sys.executable, "-S", "-c", code], tmp_path / "sleeper.log", dict(os.environ))

    return part


def test_a_killed_part_is_started_again_and_says_so(sleeper: Callable[[str], Part]) -> None:
    part = sleeper("import time; time.sleep(60)")
    part.tick()
    first = part.pid
    assert first
    os.kill(first, signal.SIGKILL)
    tick_until(part, lambda: part.pid is None)
    assert part.state.startswith("killed by SIGKILL, again in")
    tick_until(part, lambda: part.pid is not None)
    assert part.restarts == 1
    part.kill()
    assert part.is_gone()


def test_a_part_that_cannot_start_points_to_its_log(sleeper: Callable[[str], Part]) -> None:
    part = sleeper("raise SystemExit('no such thing')")
    tick_until(part, lambda: part.state != "waiting" and part.pid is None)
    assert part.state.startswith("ended with 1, again in")
    assert "see sleeper.log" in part.state
    assert "no such thing" in part.log.read_text()


def test_a_grown_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.supervisor.part.LOG_BYTES", 10)
    log = tmp_path / "logs" / "web.log"
    for text in (b"a long first line", b"second"):
        with open_log(log) as file:
            file.write(text)
    assert log.read_bytes() == b"second"
    assert (tmp_path / "logs" / "web.log.1").read_bytes() == b"a long first line"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_table_and_a_pipe_gets_changes(sleeper: Callable[[str], Part]) -> None:
    part = sleeper("")
    terminal, pipe = Terminal(), StringIO()
    for out in (terminal, pipe):
        screen = Screen(out)
        part.state = "waiting"
        screen.show([part])
        screen.show([part])
        part.state = "stopped"
        screen.show([part])
    assert terminal.getvalue().count("service") == 2
    assert "\x1b[" in terminal.getvalue()
    assert [line.split(" ", 1)[1] for line in pipe.getvalue().splitlines()] == ["sleeper: waiting", "sleeper: stopped"]


def tick_until(part: Part, is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, part.state
        part.tick()
        time.sleep(0.02)
