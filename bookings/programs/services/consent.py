"""Programs that act for people: a person allows it, the program fetches tokens with the code, and new ones
with its refresh token.

All that comes of one permission is one row, and is decided under its lock: first it is a code, then a refresh
token. Its name stays, with which every code and refresh token of it begins; its secret is replaced at each
use. So whoever shows the name with a former secret uses twice what works once, and the permission ends.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.programs import ACCESS_LASTS, CODE_LASTS, REFRESH_LASTS
from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of, require_person, require_second_factor
from accounts.selectors.users import has_second_factor
from accounts.services.programs import program_ended
from bookings.programs.domain import consent as rules
from bookings.programs.selectors.consent import Asked, client_by_name, goes_on, scopes_for_people

# No prefix of the API's own tokens: these are looked for elsewhere.
PREFIX = "icp_"
_KINDS = (Token.Type.AUTHORIZATION_CODE, Token.Type.REFRESH_TOKEN)


@dataclass(frozen=True)
class Fetched:
    """The tokens that a program has fetched."""

    access: str
    refresh: str
    scopes: list[str]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def program_allow(by: By, *, asked: Asked) -> str:
    """Let a program act for the actor, and tell them; return the code with which it fetches its tokens. Raise
    `NotPermitted` for a service account, and for a person who must set up a second factor first; `Invalid` if
    the client is gone."""
    require_person(by.actor)
    user = User.objects.get(pk=by.actor.person)
    require_second_factor(user, confirmed=True)
    client = Client.objects.select_for_update(of=("self",), no_key=True).filter(pk=asked.client.pk).first()
    if client is None:
        raise invalid("client_id", "unknown-program")
    name, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    row = Token(
        type=Token.Type.AUTHORIZATION_CODE,
        hash=_digest(name),
        client=client,
        user=user,
        data={
            "secret": _digest(secret),
            "redirect": asked.redirect,
            "challenge": asked.challenge,
            # As of a token that the person makes: the page has asked for it.
            "second_factor": has_second_factor(user),
        },
        created_at=by.now,
        expires_at=by.now + CODE_LASTS,
    )
    row.set_scopes(asked.scopes)
    row.save(force_insert=True)
    after = {"client": client.pk, "account": asked.account.pk, "scopes": asked.scopes}
    trail.record(by, "user.program-allow", user, after=after, places=asked.account.places())
    payload = {"account": str(asked.account.pk), "user": str(user.pk), "client": client.name}
    payload["scopes"] = " ".join(asked.scopes)
    enqueue([Effect("program.allowed", f"program.allowed.{row.pk}", payload)], now=by.now)
    return f"{name}.{secret}"


@transaction.atomic
def code_redeem(*, client: Client, code: str, redirect: str, verifier: str, now: datetime) -> Fetched | None:
    """Give a client tokens for a code; None if it may not have them. A code works once: if it is shown again,
    what it gave ends."""
    row = _row(client, code, now)
    if row is None or row.type != Token.Type.AUTHORIZATION_CODE:
        return None
    if redirect != row.data["redirect"] or not rules.is_proof(verifier, row.data["challenge"]):
        return None
    return _give(row, code, row.get_scopes(), now)


@transaction.atomic
def token_refresh(*, client: Client, refresh: str, scope: str, now: datetime) -> Fetched | None:
    """Give a client new tokens for a refresh token; None if it may not have them. Each works once: if one is
    shown again, the permission ends. Raise `Invalid` if more is asked for than was allowed; then nothing is
    changed."""
    row = _row(client, refresh, now)
    if row is None or row.type != Token.Type.REFRESH_TOKEN:
        return None
    scopes = row.get_scopes()
    if not set(scope.split()) <= set(scopes):
        raise invalid("scope", "unknown-value")
    chosen = [one for one in scopes if one in scope.split()]
    return _give(row, refresh, chosen or scopes, now)


def _row(client: Client, shown: str, now: datetime) -> Token | None:
    """Return the permission that a code or refresh token is of, locked; None if it opens nothing. A former
    secret ends the permission."""
    name, _, secret = shown.partition(".")
    rows = Token.objects.select_for_update(of=("self",)).filter(type__in=_KINDS, hash=_digest(name))
    row: Token | None = rows.filter(client=client).select_related("user").first()
    if row is None:
        return None
    if not constant_time_compare(_digest(secret), row.data["secret"]):
        _end(By(PLATFORM, now), client, row, reused=True)
        return None
    is_there = row.user is not None and row.user.is_active and goes_on(client)
    return row if is_there and row.expires_at is not None and row.expires_at > now else None


def _give(row: Token, shown: str, scopes: list[str], now: datetime) -> Fetched | None:
    """Make tokens, and replace the secret of the permission that was shown."""
    client = client_by_name(row.client_id or "")
    left = scopes_for_people(client, " ".join(scopes)) if client else []
    if not left:
        return None
    name, secret = shown.partition(".")[0], secrets.token_urlsafe(32)
    data = {"second_factor": row.data["second_factor"]}
    row.type, row.expires_at = Token.Type.REFRESH_TOKEN, now + REFRESH_LASTS
    row.data = data | {"secret": _digest(secret)}
    row.save(update_fields=["type", "expires_at", "data"])
    access = PREFIX + secrets.token_urlsafe(32)
    fetched = Token(
        type=Token.Type.ACCESS_TOKEN,
        hash=_digest(access),
        client=client,
        user=row.user,
        data=data | {"grant": row.pk},
        created_at=now,
        expires_at=now + ACCESS_LASTS,
    )
    fetched.set_scopes(left)
    fetched.save(force_insert=True)
    return Fetched(access, f"{name}.{secret}", left)


@transaction.atomic
def token_give_back(*, client: Client, shown: str, now: datetime) -> None:
    """Revoke a token that a client has fetched; with a refresh token ends the permission. A token of others,
    or of nobody, changes nothing."""
    mine = Token.objects.filter(client=client)
    if mine.filter(type=Token.Type.ACCESS_TOKEN, hash=_digest(shown)).delete()[0]:
        return
    rows = mine.filter(type__in=_KINDS, hash=_digest(shown.partition(".")[0]))
    row = rows.select_for_update(of=("self",)).select_related("user").first()
    if row is not None:
        _end(By(actor_of(client.owner), now), client, row)


def _end(by: By, client: Client, row: Token, *, reused: bool = False) -> None:
    """End a permission, which is locked, with all that came of it."""
    Token.objects.filter(client=client, user=row.user_id, data__grant=row.pk).delete()
    row.delete()
    if row.user is not None:
        program_ended(by, row.user, client, reused=reused)
