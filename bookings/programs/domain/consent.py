"""Rules of programs that act for people who allow it: OAuth 2.1, authorisation code with PKCE (RFC 7636)."""

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from accounts.domain.errors import FieldProblem, Invalid

MOST_REDIRECTS = 10
LONGEST_REDIRECT = 500
LONGEST_STATE = 1000  # as it stands in an address
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(/[^#]*|\?[^#]*)?")
HTTPS = re.compile(
    r"https://(?=.{1,253}(?:[:/?]|$))[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?(?:[/?][^#]*)?"
)
PRIVATE = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/[^#]*")
WRITTEN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")  # in addresses, RFC 3986, without fragments
OURS = frozenset({"code", "state", "iss", "error", "error_description"})  # in what is answered
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_redirect(uri: str) -> bool:
    """Return whether a program may be answered at an address: by https, at its own machine, or by a private
    scheme, which has a dot (RFC 8252)."""
    if len(uri) > LONGEST_REDIRECT or not WRITTEN.fullmatch(uri):
        return False
    if not any(pattern.fullmatch(uri) for pattern in (HTTPS, LOOPBACK, PRIVATE)):
        return False
    try:
        query = urlsplit(uri).query
    except ValueError:
        return False
    return OURS.isdisjoint(name for name, _ in parse_qsl(query, keep_blank_values=True))


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Return whether an address is one of those registered. It is compared exactly, but for the port of a
    program's own machine, which it chooses when it starts."""
    if not is_redirect(uri):
        return False
    asked = LOOPBACK.fullmatch(uri)
    return any(
        uri == one or (asked and (own := LOOPBACK.fullmatch(one)) and own.groups() == asked.groups())
        for one in registered
    )


def leads_to(uri: str) -> list[str]:
    """Return what the content security policy of a form must let it lead to, so that browsers follow an
    answer there, and where the program sends them on to."""
    scheme = uri.partition(":")[0]
    return ["https:"] if scheme == "https" else ["http:", "https:"] if scheme == "http" else [f"{scheme}:"]


def answered(uri: str, values: Iterable[tuple[str, str]]) -> str:
    """Return the address of a program with what it is answered."""
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode(list(values))}"


def is_too_long(state: str) -> bool:
    return len(quote(state)) > LONGEST_STATE


def is_proof(verifier: str, challenge: str) -> bool:
    """Return whether a verifier is the one of which the challenge was made (S256)."""
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge


def scopes_left(asked: str, *allowed: Collection[str]) -> list[str]:
    """Return the scopes asked for that all of these allow; nothing asked is all of the first."""
    first, *others = allowed
    chosen = set(asked.split()) if asked.strip() else set(first)
    return [scope for scope in first if scope in chosen and all(scope in other for other in others)]


def check_redirects(uris: Sequence[str]) -> None:
    """Raise `Invalid` unless these are addresses at which a program may be answered."""
    if not uris:
        raise Invalid([FieldProblem("redirect_uris", "required")])
    if len(uris) > MOST_REDIRECTS:
        raise Invalid([FieldProblem("redirect_uris", "too-many-addresses", {"most": MOST_REDIRECTS})])
    for uri in uris:
        if not is_redirect(uri):
            raise Invalid([FieldProblem("redirect_uris", "not-a-redirect", {"address": uri[:100]})])
