"""Expected errors: each area subclasses Problem, and the edges turn it into a page or {"error": ...}."""

from __future__ import annotations

from typing import ClassVar


class Problem(Exception):
    """Something the user can do something about, as one sentence."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        # What is wrong with which field of the request.
        self.fields = fields or {}


class Unauthenticated(Problem):
    status = 401
    code = "unauthenticated"


class Forbidden(Problem):
    status = 403
    code = "forbidden"


class NotFound(Problem):
    status = 404
    code = "not_found"


class Conflict(Problem):
    status = 409
    code = "conflict"


class Invalid(Problem):
    status = 422
    code = "invalid"
