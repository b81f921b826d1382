"""Acts of administrators on other people's accounts, each with a reason, and told to the person.

`PLATFORM` does the same from the command line, where an administrator is locked out of the pages.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction

from accounts import trail
from accounts.domain import administration as rules
from accounts.domain.errors import NotFound, NotPermitted, TooOften, WrongState, invalid
from accounts.domain.roles import ADMINISTRATOR, By, Place
from accounts.models import (
    ApiToken,
    FactorReset,
    Message,
    OutboxMessage,
    RoleGrant,
    TrailEntry,
    User,
    Viewing,
)
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue, nudge
from accounts.permissions import require
from accounts.selectors.administration import (
    UNLOCK,
    account_by_id,
    can_be_confirmed,
    mail_key,
    other_administrators,
    unlocked_key,
)
from accounts.selectors.rows import visible
from accounts.services.memberships import checked_reason, lock_user, require_another
from accounts.services.programs import programs_end
from accounts.services.users import sign_in_mail_send
from bookings.messaging.services.feeds import feeds_end

DAY = 24 * 3600


def opened(by: By, user_id: UUID, reason: str, *, is_others: bool = True) -> tuple[User, str]:
    """Return an account, locked, for an act of an administrator, and the reason. Raise `NotPermitted`,
    `NotFound`, `Invalid` without a reason, and `AccountRefused` for the administrator's own account."""
    account_by_id(by.actor, user_id)
    lock_user(user_id)
    user = account_by_id(by.actor, user_id)
    if user.erasure_asked_at is not None:
        raise WrongState(state="closed", wanted="active")
    if is_others:
        rules.check_other(user.pk, by.actor.user_id)
    return user, checked_reason(reason, is_owed=True)


def done(by: By, user: User, action: str, kind: str, reason: str, **after: Any) -> TrailEntry:
    """Record an act in the trail, and tell the person."""
    entry = trail.record(by, action, user, after=after, reason=reason)
    payload = {"user": str(user.pk), "entry": str(entry.pk)}
    enqueue([Effect(f"people.{kind}", f"people.{kind}.{entry.pk}", payload)], now=by.now)
    return entry


@transaction.atomic
def sign_in_unlock(by: By, *, user_id: UUID, reason: str) -> None:
    """Forget the wrong passwords and codes that were counted for an account, from wherever they came. Raise
    `TooOften` for more than five times a day, as each lets somebody guess anew."""
    user, reason = opened(by, user_id, reason, is_others=False)
    _require_not_often(by, user, UNLOCK)
    done(by, user, UNLOCK, "unlocked", reason)

    def forget() -> None:
        cache.set(unlocked_key(user.pk), f":{new_id().hex}", DAY)
        ratelimit.clear(None, action="login_failed", key=f"mfa-auth-user-{user.pk}")

    transaction.on_commit(forget)


def _require_not_often(by: By, user: User, action: str) -> None:
    """Raise `TooOften` if administrators have done this for a person five times within a day; the person's
    row is locked."""
    day = timedelta(seconds=DAY)
    times = TrailEntry.objects.filter(object_id=user.pk, action=action, at__gt=by.now - day).count()
    if not by.actor.is_platform and times >= rules.MOST_A_DAY:
        raise TooOften("too-often-today", most=rules.MOST_A_DAY)


@transaction.atomic
def sessions_end(by: By, *, user_id: UUID, reason: str, session_id: str = "") -> int:
    """End one session of a person, or all of them; return how many. Raise `NotFound` if it has ended."""
    user, reason = opened(by, user_id, reason)
    sessions = UserSession.objects.filter(user=user)
    if session_id:
        sessions = sessions.filter(pk=int(session_id)) if _is_number(session_id) else sessions.none()
        if not sessions:
            raise NotFound
    number = sessions_close(sessions)
    done(by, user, "user.sessions-end", "sessions-ended", reason, sessions=number)
    return number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def sessions_close(sessions: Any) -> int:
    ended = list(sessions)
    for session in ended:
        session.end()
    return len(ended)


@transaction.atomic
def tokens_revoke(by: By, *, user_id: UUID, reason: str, token_id: UUID | None = None) -> int:
    """Revoke one token of a person, or all of them with what programs may do for them; return how many. Raise
    `NotFound` if it is revoked."""
    user, reason = opened(by, user_id, reason)
    rows = ApiToken.objects.select_for_update().filter(user=user, revoked_at=None).order_by("pk")
    tokens = list(rows.filter(pk=token_id) if token_id else rows)
    if token_id and not tokens:
        raise NotFound
    _tokens_end(by, tokens, reason)
    number = len(tokens) + (0 if token_id else programs_end(by, user, reason=reason))
    done(by, user, "user.tokens-revoke", "tokens-revoked", reason, tokens=number)
    return number


def _tokens_end(by: By, tokens: list[ApiToken], reason: str) -> None:
    for token in tokens:
        token.revoked_at = by.now
        token.save(update_fields=["revoked_at"])
        trail.record(by, "token.revoke", token, reason=reason)


@transaction.atomic
def person_suspend(by: By, *, user_id: UUID, reason: str) -> User:
    """Refuse sign-in and tokens of a person until they are brought back. Their bookings stay. Raise
    `WrongState` for the last administrator (`last-administrator`), and if it is suspended already."""
    user, reason = opened(by, user_id, reason)
    if not user.is_active:
        raise WrongState(state="suspended", wanted="suspended")
    if RoleGrant.objects.filter(user=user, role=ADMINISTRATOR, revoked_at=None).exists():
        require_another(ADMINISTRATOR, None, user.pk)
        if not other_administrators([user.pk]).exists():
            raise WrongState("last-administrator")
    user.is_active, user.suspended_at = False, by.now
    user.save(update_fields=["is_active", "suspended_at"])
    number = sessions_close(UserSession.objects.filter(user=user))
    Viewing.objects.filter(viewer=user, ended_at=None).update(ended_at=by.now)
    asks = FactorReset.objects.filter(asked_by=user, state=FactorReset.State.REQUESTED)
    asks.update(state=FactorReset.State.WITHDRAWN, decided_at=by.now)
    done(by, user, "user.suspend", "suspended", reason, sessions=number)
    return user


@transaction.atomic
def person_restore(by: By, *, user_id: UUID, reason: str) -> User:
    """Bring back a person who was suspended. Raise `WrongState` for anybody else."""
    user, reason = opened(by, user_id, reason)
    if user.suspended_at is None:
        raise WrongState(state="active", wanted="active")
    user.is_active, user.suspended_at = True, None
    user.save(update_fields=["is_active", "suspended_at"])
    done(by, user, "user.restore", "restored", reason)
    return user


# The second factor


@transaction.atomic
def factor_reset_ask(by: By, *, user_id: UUID, reason: str) -> FactorReset:
    """Ask for the reset of a person's second factor; another administrator confirms it within a day. The
    person and the other administrators are told at once. Raise `WrongState` if there is nothing to reset
    (`no-factor`), somebody has asked (`reset-asked`), or nobody could confirm (`no-second-administrator`)."""
    user, reason = opened(by, user_id, reason)
    _require_factor(user)
    open_asks = FactorReset.objects.filter(user=user, state=FactorReset.State.REQUESTED)
    if open_asks.filter(expires_at__gt=by.now).exists():
        raise WrongState("reset-asked")
    if not can_be_confirmed([user.pk, by.actor.person], by.now):
        raise WrongState("no-second-administrator")
    open_asks.update(state=FactorReset.State.WITHDRAWN, decided_at=by.now)
    row = FactorReset.objects.create(
        user=user,
        asked_by_id=by.actor.person,
        reason=reason,
        created_at=by.now,
        expires_at=by.now + rules.CONFIRM_WITHIN,
    )
    entry = done(by, user, "user.factor-reset-ask", "factor-asked", reason, request=row.pk)
    payload = {"user": str(user.pk), "entry": str(entry.pk), "reset": str(row.pk)}
    enqueue([Effect("people.factor-to-confirm", f"people.factor-to-confirm.{row.pk}", payload)], now=by.now)
    return row


def _require_factor(user: User) -> None:
    if not Authenticator.objects.filter(user=user).exists():
        raise WrongState("no-factor")


@transaction.atomic
def factor_reset_confirm(by: By, *, user_id: UUID) -> None:
    """Reset a person's second factor as another administrator has asked. Raise `WrongState` if nobody has
    (`no-reset-asked`), and what `check_confirmation` says."""
    account_by_id(by.actor, user_id)
    lock_user(user_id)
    row = _asked(user_id)
    roles = RoleGrant.objects.filter(role=ADMINISTRATOR, revoked_at=None).order_by("granted_at")
    held = roles.filter(user=by.actor.user_id).first()
    if held is None:
        raise NotPermitted(capability="administer")
    rules.check_confirmation(
        person=user_id,
        asked_by=row.asked_by_id,
        is_asker_there=roles.filter(user=row.asked_by_id, user__is_active=True).exists(),
        asked_at=row.created_at,
        confirms=by.actor.user_id,
        held_since=held.granted_at,
        is_held_from_server=held.granted_by_id is None,
        expires_at=row.expires_at,
        now=by.now,
    )
    user, reason = opened(by, user_id, row.reason)
    _decided(by, row, FactorReset.State.CONFIRMED)
    _reset(by, user, reason, asked_by=row.asked_by_id)


@transaction.atomic
def factor_reset_withdraw(by: By, *, user_id: UUID) -> None:
    """Withdraw, or decline, the request to reset a person's second factor."""
    user = account_by_id(by.actor, user_id)
    lock_user(user_id)
    row = _asked(user_id)
    _decided(by, row, FactorReset.State.WITHDRAWN)
    trail.record(by, "user.factor-reset-withdraw", user, after={"request": row.pk})


def _asked(user_id: UUID) -> FactorReset:
    row = FactorReset.objects.filter(user=user_id, state=FactorReset.State.REQUESTED).first()
    if row is None:
        raise WrongState("no-reset-asked")
    return row


def _decided(by: By, row: FactorReset, state: str) -> None:
    row.state, row.decided_by_id, row.decided_at = state, by.actor.user_id, by.now
    row.save(update_fields=["state", "decided_by", "decided_at"])


def factor_reset_by_code(by: By, *, user_id: UUID, code: str, reason: str) -> None:
    """Reset a person's second factor with a recovery code that they have given to the administrator. Raise
    `Invalid` for a wrong code, and `TooOften` after five of them in a day."""
    account_by_id(by.actor, user_id)
    key = f"recovery-code-tried:{user_id.hex}"
    cache.add(key, 0, DAY)
    if cache.incr(key) > rules.MOST_CODES:
        raise TooOften("too-many-recovery-codes", most=rules.MOST_CODES)
    with transaction.atomic():
        user, reason = opened(by, user_id, reason)
        kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
        if kept is None or not RecoveryCodes(kept).validate_code(code.strip()):
            raise invalid("code", "wrong-recovery-code")
        _reset(by, user, reason, by_code=True)
    cache.delete(key)


@transaction.atomic
def factor_reset_here(by: By, *, user_id: UUID, reason: str) -> None:
    """Reset a person's second factor from the command line of the server."""
    if not by.actor.is_platform:
        require(by.actor, "administer", Place(None))
        raise WrongState("no-reset-asked")
    user, reason = opened(by, user_id, reason)
    _require_factor(user)
    _reset(by, user, reason)


def _reset(by: By, user: User, reason: str, **how: Any) -> None:
    """Delete a person's second factors and recovery codes, end their sessions, and revoke their tokens and
    whatever else works without signing in: whoever had the factor may have made them."""
    factors = Authenticator.objects.filter(user=user)
    types = sorted(factors.values_list("type", flat=True))
    factors.delete()
    number = sessions_close(UserSession.objects.filter(user=user))
    rows = ApiToken.objects.select_for_update().filter(user=user, revoked_at=None)
    tokens = list(rows.order_by("pk"))
    _tokens_end(by, tokens, reason)
    programs_end(by, user, reason=reason)
    feeds_end(by, user)
    told = {"types": types, "sessions": number, "tokens": len(tokens), **how}
    done(by, user, "user.factor-reset", "factor-reset", reason, **told)


# Mail


@transaction.atomic
def message_resend(by: By, *, user_id: UUID, message_id: UUID, reason: str) -> None:
    """Send a message to a person by mail once more. Raise `WrongState` if it is waiting to be sent."""
    user, reason = opened(by, user_id, reason, is_others=False)
    message = visible(Message.objects.select_for_update(), pk=message_id, user_id=user.pk)
    mail = OutboxMessage.objects.select_for_update().filter(key=mail_key(message)).first()
    if mail is not None and mail.done_at is None:
        raise WrongState("mail-waits")
    message.mailed_at = None
    message.save(update_fields=["mailed_at"])
    if mail is None:
        payload = {"message": str(message.pk)}
        enqueue([Effect("letter.send", mail_key(message), payload)], now=by.now)
    else:
        mail.attempts, mail.due_at, mail.done_at, mail.outcome = 0, by.now, None, ""
        mail.save(update_fields=["attempts", "due_at", "done_at", "outcome"])
        transaction.on_commit(nudge, robust=True)
    trail.record(by, "user.mail-resend", user, after={"message": message.pk}, reason=reason)


@transaction.atomic
def password_link_send(by: By, *, user_id: UUID, reason: str) -> None:
    """Send a person a link by mail to set a new password. Raise `TooOften` for more than five a day."""
    user, reason = opened(by, user_id, reason, is_others=False)
    if not user.is_active:
        raise WrongState(state="suspended", wanted="active")
    _require_not_often(by, user, "user.password-link")
    sign_in_mail_send(
        mail="password_reset_key", email=user.email, user=user, language=user.language, now=by.now
    )
    trail.record(by, "user.password-link", user, reason=reason)


# Looking at pages as somebody


@transaction.atomic
def look_begin(by: By, *, user_id: UUID, reason: str) -> Viewing:
    """Let an administrator see pages as a person does, without changing anything, for an hour at most. The
    person is told afterwards. Raise `AccountRefused` for privileged people."""
    user, reason = opened(by, user_id, reason)
    if not user.is_active:
        raise WrongState(state="suspended", wanted="active")
    roles = RoleGrant.objects.filter(user=user, revoked_at=None).values_list("role", flat=True)
    rules.check_look(
        person=user.pk, viewer=by.actor.user_id, roles=roles, is_staff=user.is_staff or user.is_superuser
    )
    for open_one in Viewing.objects.filter(viewer=by.actor.person, ended_at=None, expires_at__gt=by.now):
        _stop(by, open_one)
    until = by.now + rules.LONGEST_LOOK
    row = Viewing.objects.create(
        viewer_id=by.actor.person, user=user, reason=reason, created_at=by.now, expires_at=until
    )
    entry = trail.record(by, "user.look", user, after={"viewing": row.pk, "until": until}, reason=reason)
    payload = {"user": str(user.pk), "entry": str(entry.pk), "viewing": str(row.pk)}
    enqueue([Effect("people.looked-at", _told_key(row), payload, due_at=until)], now=by.now)
    return row


def _told_key(row: Viewing) -> str:
    return f"people.looked-at.{row.pk}"


@transaction.atomic
def look_end(by: By, *, viewing_id: UUID) -> Viewing | None:
    """Stop looking at pages as somebody; ending it twice changes nothing. Return it, None if unknown."""
    row = Viewing.objects.select_for_update().filter(pk=viewing_id, viewer=by.actor.person).first()
    if row is not None and row.ended_at is None and row.expires_at > by.now:
        _stop(by, row)
    return row


def _stop(by: By, row: Viewing) -> None:
    row.ended_at = by.now
    row.save(update_fields=["ended_at"])
    trail.record(
        by, "user.look-end", row.user, after={"viewing": row.pk, "from": row.created_at, "until": by.now}
    )
    OutboxMessage.objects.filter(key=_told_key(row), done_at=None).update(due_at=by.now)
    transaction.on_commit(nudge, robust=True)
