"""Run a management command with the embedded servers it needs."""

from __future__ import annotations

from django.core.management import execute_from_command_line


def run(argv: list[str]) -> None:
    execute_from_command_line(argv)
