"""Derive secrets from SECRET_KEY whenever they are needed, so that no table holds them. Those derived from a
key in SECRET_KEY_FALLBACKS remain valid."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

_are_hidden = ContextVar("are_hidden", default=False)


@contextmanager
def links_hidden() -> Iterator[None]:
    """Keep the secrets of links that exist from being shown: somebody looks at pages as somebody else, who
    could use them when that is over."""
    before = _are_hidden.set(True)
    try:
        yield
    finally:
        _are_hidden.reset(before)


def derived_secrets(salt: str, value: str) -> list[bytes]:
    """Return a secret of 32 bytes for each key in force, the newest first."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(salt, value, secret=key, algorithm="sha256").digest() for key in keys]


def link_token(salt: str, pk: UUID, digest: bytes | None = None) -> str:
    """Return the secret part of a link to a row: a new one, or the one with the stored digest; empty if the
    key that produced that one is no longer in use, or links are hidden."""
    if digest is not None and _are_hidden.get():
        return ""
    secrets = derived_secrets(salt, str(pk))
    tokens = [base64.urlsafe_b64encode(secret).decode().rstrip("=") for secret in secrets]
    if digest is None:
        return tokens[0]
    return next((token for token in tokens if digest_of(token) == digest), "")


def digest_of(token: str) -> bytes:
    """Return the SHA-256 digest of a token. No salt is needed, since a token has 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
