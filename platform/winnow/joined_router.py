"""The areas' routers as one, since two areas may answer at one address: runs are listed by one, started by another."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ninja import Router
from ninja.operation import PathView


class TwoNamesForOnePlace(Exception):
    """Two areas name the parameter of one address differently; Django would only ever find the first."""


def joined(routers: Iterable[Router]) -> Router:
    """Left to themselves, the first router with an address answers 405 to the methods of the second."""
    whole = Router()
    names: dict[str, str] = {}
    for router in routers:
        for mount in router.build_routers(""):
            for path, view in mount.template.path_operations.items():
                address = "/" + f"{mount.prefix}/{path}".replace("//", "/").strip("/")
                _check_names(address, names)
                _add(whole, address, view, mount.template.tags)
    return whole


def _add(whole: Router, address: str, view: PathView, tags: list[str] | None) -> None:
    target = whole.path_operations.setdefault(address, PathView())
    target.is_async = target.is_async or view.is_async
    for operation in view.clone().operations:
        operation.tags = operation.tags or tags
        target.operations.append(operation)


def _check_names(address: str, names: dict[str, str]) -> None:
    shape = re.sub(r"{[^}]*}", "{}", address)
    if names.setdefault(shape, address) != address:
        raise TwoNamesForOnePlace(f"{names[shape]} and {address} are one address; use the same names")
