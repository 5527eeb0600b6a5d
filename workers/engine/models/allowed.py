"""Which model servers a project may reach, by which addresses, and with whose key."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from workers.engine.bench import Unworkable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}
WRITTEN = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9.\-_~/]*)?", re.ASCII)
# Where clouds tell machines their secrets. All but the first are outside the link-local range.
METADATA = {"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Ways into networks of version 4 that nobody serves models by: NAT64 of a house, 6to4, Teredo.
TUNNELS = [ipaddress.IPv6Network(network) for network in ("64:ff9b:1::/48", "2002::/16", "2001::/32")]


@dataclass(frozen=True)
class Server:
    """One that the project's owner has listed; `tokenizer` names a folder among Winnow's models, for a server that
    does not tell its token ids itself."""

    url: str
    tokenizer: str = ""


@dataclass(frozen=True)
class Servers:
    listed: Sequence[Server] = ()
    # host:port as the operator's environment names them: these may have private addresses.
    private: frozenset[str] = frozenset()
    # By URL. Never shown: not in results, not in errors, not in logs.
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def at(self, url: str) -> Server:
        wanted = canonical(url)
        for server in self.listed:
            if canonical(server.url) == wanted:
                return Server(wanted, server.tokenizer)
        raise Unworkable(
            f"The model server {wanted} is not on this project's list. Its owner can add it under Settings, Model "
            "servers; nothing else is ever sent texts."
        )

    def key(self, url: str) -> str:
        wanted = canonical(url)
        return next((key for known, key in self.keys.items() if canonical(known) == wanted), "")

    def check_address(self, host: str, port: int, address: str) -> None:
        """Unworkable where the name leads to an address that this server must not have."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if is_public(found):
            return
        named = {name.lower() for name in self.private}
        is_named = _host_port(host, port) in named
        is_itself = _host_port(address, port) in named
        if is_itself or (is_named and not _is_never(found)):
            return
        raise Unworkable(
            f"{host} leads to {address}, which is no public address. An operator can allow it by naming "
            f"{_host_port(host, port)} in WINNOW_PRIVATE_MODEL_SERVERS."
        )


def canonical(url: str) -> str:
    """The same URL for all ways to write it: no slash at the end, no port that goes without saying, /v1 where there is
    no path. Unworkable, with a sentence, where it is not the plain URL of a server."""
    if "@" in url:
        raise Unworkable("The URL of a model server carries no user and no password; keys come from the environment.")
    if not WRITTEN.fullmatch(url):
        raise Unworkable("Write a model server as http://host:8000/v1 or https://host/v1, without anything behind it.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unworkable(f"That is not the URL of a model server: {error}.") from None
    if not host or ".." in parts.path:
        raise Unworkable("Write a model server as http://host:8000/v1 or https://host/v1.")
    shown = f"[{host}]" if ":" in host else host
    where = "" if port in (None, PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{shown}{where}{parts.path.rstrip('/') or '/v1'}"


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and any(address in tunnel for tunnel in TUNNELS):
        return False
    address = _inner(address)
    return address.is_global and not address.is_multicast and str(address) not in METADATA


def _is_never(address: Address) -> bool:
    """Not even where the operator named the host: only by the very address."""
    address = _inner(address)
    return address.is_link_local or address.is_multicast or address.is_unspecified or str(address) in METADATA


def _inner(address: Address) -> Address:
    """The address of version 4 that one of version 6 stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address.ipv4_mapped or address
    return address


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}".lower() if ":" in host else f"{host}:{port}".lower()
