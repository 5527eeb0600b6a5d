"""The few statements behind every submit, prepared once per connection.

Planning them takes the database longer than running them, and Django sends the parameters inside the text, so that
nothing can be reused. These go out with the parameters apart, under a name that PostgreSQL keeps.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

# A plan that was made while a table was small may read it whole when it is large, and PostgreSQL notices only once a
# minute; so each connection plans again after this many statements.
PLANS_LAST = 256
_since_planned: WeakKeyDictionary[psycopg.Connection[Any], int] = WeakKeyDictionary()


def first_row(statement: str, names: dict[str, Any]) -> tuple[Any, ...] | None:
    """Runs in Django's own transaction on Django's own connection; its errors are Django's."""
    connection.ensure_connection()
    if connection.queries_logged:
        with connection.cursor() as logged:
            logged.execute(statement, names)
            row: tuple[Any, ...] | None = logged.fetchone()
            return row
    raw: psycopg.Connection[Any] = connection.connection
    _plan_again_now_and_then(raw)
    # Django turns preparing off on the whole connection; here it is wanted.
    raw.prepare_threshold = 0
    try:
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            return cursor.execute(statement, names).fetchone()
    finally:
        raw.prepare_threshold = None


def _plan_again_now_and_then(raw: psycopg.Connection[Any]) -> None:
    count = _since_planned.get(raw, 0) + 1
    if count == PLANS_LAST:
        raw.execute("DISCARD PLANS")
        count = 0
    _since_planned[raw] = count


def the_row(statement: str, names: dict[str, Any]) -> tuple[Any, ...]:
    """For a statement that always yields one."""
    row = first_row(statement, names)
    if row is None:
        raise LookupError("a statement that always yields a row yielded none")
    return row
