"""What may be listed as a model server. Where a name leads is judged by the worker that connects, every time."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from accounts.problems import Invalid

PORTS = {"http": 80, "https": 443}
WRITTEN = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9.\-_~/]*)?", re.ASCII)
EXAMPLE = "Write it as http://host:8000/v1 or https://host/v1, without anything behind it."


class InvalidModelServer(Invalid):
    code = "invalid_model_server"


def canonical(url: str, *, private: Collection[str]) -> str:
    """One way to write it: no slash at the end, no port that goes without saying, /v1 where there is no path.

    `private`: host:port of those that the operator lets have private addresses.
    """
    if "@" in url:
        raise _invalid("A URL with a user or a password is not kept. Keys come from the operator's environment.")
    if "#" in url:
        raise _invalid("List the server alone; which of its models is meant stands in a method's parameter.")
    if not WRITTEN.fullmatch(url):
        raise _invalid(EXAMPLE)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid(EXAMPLE) from None
    if not host or ".." in parts.path:
        raise _invalid(EXAMPLE)
    shown = f"[{host}]" if ":" in host else host
    named = f"{shown}:{port or PORTS[parts.scheme]}"
    if _is_of_the_house(host) and named not in {each.lower() for each in private}:
        raise _invalid(
            f"{host} is no public address. An operator can allow it by naming {named} in WINNOW_PRIVATE_MODEL_SERVERS."
        )
    where = "" if port in (None, PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{shown}{where}{parts.path.rstrip('/') or '/v1'}"


def _is_of_the_house(host: str) -> bool:
    """Told by its looks alone, without asking anybody for the name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # 127.1 and 0x7f000001 are addresses to some resolvers.
        return bool(re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host))
    inner = getattr(address, "ipv4_mapped", None) or address
    return not inner.is_global or inner.is_multicast


def _invalid(words: str) -> InvalidModelServer:
    return InvalidModelServer(words, fields={"url": words})
