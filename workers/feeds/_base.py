"""What a feed may say of a run or a method that it cannot serve."""

from __future__ import annotations

from accounts.problems import Invalid


class CannotRun(Invalid):
    """The run as asked has nothing to work on; a sentence for the user."""

    code = "cannot_run"


class WrongOutcome(Exception):
    """A method broke its contract."""
