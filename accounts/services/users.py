"""Change a person's own settings, and record what happens to their sign-in."""

import unicodedata
import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, User
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of
from accounts.selectors.organisations import payer_for


@transaction.atomic
def user_register(*, user: User, now: datetime) -> User:
    """Store a person who signs up. Raise `Invalid` for an unknown time zone."""
    if user.time_zone not in zoneinfo.available_timezones():
        raise invalid("time_zone", "unknown-time-zone")
    user.name = name_kept(user.name)
    user.save(force_insert=True)
    trail.record(
        By(actor_of(user), now),
        "user.create",
        user,
        after={"language": user.language, "time_zone": user.time_zone},
    )
    return user


@transaction.atomic
def profile_update(
    by: By, *, user: User, name: str, language: str, time_zone: str, organisation: str | None = None
) -> User:
    """Change a person's name, the language of their messages, the time zone shown beside an instrument's own,
    and their default organisation (None: as it is)."""
    if time_zone not in zoneinfo.available_timezones():
        raise invalid("time_zone", "unknown-time-zone")
    if organisation is not None:
        default_choose(by, organisation=organisation)
    before = {"language": user.language, "time_zone": user.time_zone}
    user.language = _known(language)
    user.name, user.time_zone = name_kept(name), time_zone
    user.save(update_fields=["name", "language", "time_zone"])
    trail.record(by, "user.update", user, before=before, after={"language": language, "time_zone": time_zone})
    return user


@transaction.atomic
def default_choose(by: By, *, organisation: str) -> None:
    """Choose which of one's organisations one's requests are for when they name none; empty: none, so that
    requests must name one. Raise `Invalid` for an organisation of which one is not a member."""
    user_id = by.actor.person
    chosen = payer_for(by.actor, organisation) if organisation else None
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user_id)
    own = list(Membership.objects.filter(user=user_id, ended_at=None).select_related("organisation", "user"))
    before = next((one for one in own if one.is_default), None)
    after = next((one for one in own if chosen and one.organisation_id == chosen.pk), None)
    if chosen and after is None:  # ended in the meantime
        raise invalid("organisation", "not-a-member", organisation=chosen.code)
    if before == after:
        return
    for one in (each for each in own if each.is_default or each == after):
        one.is_default = one == after
        one.save(update_fields=["is_default"])
    codes = [one.organisation.code if one else "" for one in (before, after)]
    trail.record(
        by, "user.update", own[0].user, before={"organisation": codes[0]}, after={"organisation": codes[1]}
    )


@transaction.atomic
def language_set(by: By, *, user: User, language: str) -> None:
    """Set the language of a person's messages; setting the same language changes nothing."""
    before, user.language = user.language, _known(language)
    if before == language:
        return
    user.save(update_fields=["language"])
    trail.record(by, "user.update", user, before={"language": before}, after={"language": language})


@transaction.atomic
def sign_in_changed(
    *, user: User, action: str, now: datetime, after: Mapping[str, Any] | None = None
) -> None:
    """Record what allauth has done to a person's address, password or second factor."""
    trail.record(By(actor_of(user), now), action, user, after=after)


@transaction.atomic
def sign_in_mail_send(
    *,
    mail: str,
    email: str,
    user: User | None,
    language: str,
    now: datetime,
    facts: Mapping[str, str] | None = None,
    code: str = "",
) -> None:
    """Have a worker send a mail of one of `letters.sign_in.KINDS`. Keys to reset a password or confirm an
    address are made when it is sent; a `code` to sign in is erased with the rest once the mail was sent or
    given up."""
    private = {
        "mail": mail,
        "email": email,
        "user": str(user.pk) if user else None,
        "language": language,
        "facts": dict(facts or {}),
        "code": code,
    }
    key = f"people.sign-in.{new_id()}"
    enqueue([Effect("people.sign-in", key, {"private": private})], now=now)


def password_link_send(mail: str, user: User, now: datetime) -> None:
    """Send the owner of an account without a password a link to set one."""
    if not user.has_usable_password():
        sign_in_mail_send(mail=mail, email=user.email, user=user, language=user.language, now=now)


def person_enter(*, email: str, name: str, language: str, time_zone: str, now: datetime) -> User:
    """Create an account for an address that somebody else vouches for, in the caller's transaction. It has no
    password; a link mailed to that address opens it."""
    user = User(email=email.lower(), name=name, language=language, time_zone=time_zone)
    user.set_unusable_password()
    user_register(user=user, now=now)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@transaction.atomic
def session_renew(session: SessionBase) -> None:
    """Give a person's session another key, with what is in it. A copy that a process may still find in the
    cache, written before the cache was away, is of the old key: nobody reads it by mistake."""
    before = session.session_key
    session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=session.session_key)


@transaction.atomic
def password_changed(*, user: User, action: str, keep: str | None, now: datetime) -> None:
    """End all sessions of the person except the one with the key `keep`, and record that the password was
    changed. Tokens and calendar addresses remain valid until the person revokes them."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep):
        session.end()
    sign_in_changed(user=user, action=action, now=now)


@transaction.atomic
def sign_in_blocked(*, user: User, now: datetime) -> None:
    """Record that sign-in to an account is blocked for a while after too many wrong passwords."""
    trail.record(By(PLATFORM, now), "user.sign-in-block", user)


@transaction.atomic
def demo_address_vouch(*, user: User) -> None:
    """Mark the address of a demonstration account as verified, because it has no mailbox to prove."""
    if not EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )


def address_of(email: str, field: str = "email") -> str:
    """Return a mail address in lower case; raise `Invalid` for its field if it is not one."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise invalid(field, "not-a-mail-address") from None
    if len(email) > 254:
        raise invalid(field, "too-long", most=254)
    return email


def name_kept(name: str) -> str:
    """Return a name on one line, at most 150 characters long, without characters that change the direction of
    writing: it is shown in lists beside others and in the subjects of letters."""
    spoken = (sign for sign in name if sign.isspace() or not _turns(sign))
    return " ".join("".join(spoken).split())[:150]


def _turns(sign: str) -> bool:
    """Return whether a character is a control character or sets the direction of writing."""
    is_control = unicodedata.category(sign) == "Cc"
    return is_control or sign in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _known(language: str) -> str:
    if language not in dict(settings.LANGUAGES):
        raise invalid("language", "unknown-value")
    return language
