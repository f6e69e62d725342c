"""Where the app may connect to: addresses that an admin registered, and of those only what the registration allows.

A server of one's own network has to be registered as such; any other has to have a public address and https. Names are
resolved once a call and the connection goes to that very address, so a name that changes its mind leads nowhere.
"""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from app.errors import Refusal

LONGEST = 500
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
# They hand out a cloud machine's own credentials, and no model server stands there.
_NEVER = [ip_network(text) for text in ("fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")]

Address = IPv4Address | IPv6Address


class BadAddress(Refusal):
    """This is no address of a model server: {why}. Nothing was saved."""


class NotReached(Exception):
    """Why there is nothing to connect to, as the end of a sentence."""


def checked_url(typed: str, *, inside: bool) -> str:
    """The base URL without what people paste behind it. Raises BadAddress (422)."""
    url = typed.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\"):
        raise BadAddress(why=f"it has to be at most {LONGEST} plain characters without blanks")
    parts = _parts(url)
    if parts.scheme not in {"http", "https"}:
        raise BadAddress(why="it begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise BadAddress(why="a name or password does not belong into it; there is a field for the key")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadAddress(why="it ends with its path, mostly /v1")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise BadAddress(why="it names no host")
    if parts.scheme == "http" and not inside:
        raise BadAddress(why="outside of your own network it has to be https, else anybody on the way reads the texts")
    return url


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadAddress(why="it cannot be read") from error
    return parts


def host_of(url: str) -> str:
    """Whom a base URL leads to, as people read it: the host with its port."""
    return urlsplit(url).netloc


async def resolved(url: str, *, inside: bool) -> list[str]:
    """The numeric addresses to try, in order. Raises NotReached."""
    parts = urlsplit(url)
    assert parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(f"no machine called {parts.hostname} is known here") from error
    numbers = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for number in numbers:
        if not is_allowed(ip_address(number), inside=inside):
            raise NotReached(_why_not(parts.hostname, number, inside=inside))
    return numbers


def _why_not(host: str, number: str, *, inside: bool) -> str:
    if inside:
        return f"{host} leads to {number}, which is never called"
    return f"{host} leads to {number}, an address of your own network, and it was not registered as one"


def is_allowed(address: Address, *, inside: bool) -> bool:
    """Whether a connection may go there: a public address, or one inside where that was registered."""
    plain = _unwrapped(address)
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or _is_reserved(plain):
        return False
    return inside or plain.is_global


def _is_reserved(address: Address) -> bool:
    broadcast = isinstance(address, IPv4Address) and address.is_reserved
    return broadcast or any(address in network for network in _NEVER if network.version == address.version)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries, if it does: it is that one which is reached in the end."""
    if isinstance(address, IPv4Address):
        return address
    if address in ip_network("64:ff9b::/96"):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    return carried or address
