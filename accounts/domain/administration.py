"""Rules of what an administrator may do with another person's account."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.errors import Refused, WrongState
from accounts.domain.roles import ADMINISTRATOR, AUDITOR

CONFIRM_WITHIN = timedelta(days=1)
HELD_FOR = timedelta(days=7)  # the role, before an ask that its holder confirms
LONGEST_LOOK = timedelta(hours=1)
PROVE_WITHIN = timedelta(days=1)  # the link to a new address
UNDO_WITHIN = timedelta(days=7)  # by the former address, after the change
BLOCKED_FOR = timedelta(days=1)  # the longest that wrong passwords count
LOOKING = "looking_as"  # in the session: the id of the looking at pages as somebody
MOST_A_DAY = 5  # times that sign-in of one person is unlocked, or a link to a password sent
MOST_CODES = 5  # wrong recovery codes for one person in a day


class AccountRefused(Refused):
    """An act on an account that a rule forbids."""


def check_other(person: UUID, actor: UUID | None) -> None:
    """Raise `AccountRefused` (`own-account`) if administrators act on their own account."""
    if person == actor:
        raise AccountRefused("own-account")


def check_confirmation(
    *,
    person: UUID,
    asked_by: UUID,
    is_asker_there: bool,
    asked_at: datetime,
    confirms: UUID | None,
    held_since: datetime,
    is_held_from_server: bool,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Raise a refusal unless this administrator may confirm the reset of a second factor: another one has
    asked (`own-reset`) who is still an administrator (`asker-gone`), for somebody else (`own-account`), less
    than a day ago (`request-expired`), and this one is no newcomer (`new-administrator`)."""
    check_other(person, confirms)
    if confirms == asked_by:
        raise AccountRefused("own-reset")
    if now >= expires_at:
        raise WrongState("request-expired")
    if not is_asker_there:
        raise WrongState("asker-gone")
    if is_newcomer(held_since, is_held_from_server, asked_at):
        raise AccountRefused("new-administrator")


def is_newcomer(held_since: datetime, is_held_from_server: bool, asked_at: datetime) -> bool:
    """Return whether an administrator has the role too recently to confirm what was asked at that time:
    whoever asks could have made them administrator for it. Who got it from the command line of the server
    need not wait: whoever has that needs no confirmation."""
    if is_held_from_server:
        return held_since >= asked_at
    return held_since + HELD_FOR > asked_at


def check_look(*, person: UUID, viewer: UUID | None, roles: Iterable[str], is_staff: bool) -> None:
    """Raise `AccountRefused` if an administrator may not look at pages as this person: themselves
    (`own-account`), or somebody privileged (`look-privileged`)."""
    check_other(person, viewer)
    if is_staff or not {ADMINISTRATOR, AUDITOR}.isdisjoint(roles):
        raise AccountRefused("look-privileged")


def is_blocked(blocked_at: datetime | None, unlocked_at: datetime | None, now: datetime) -> bool:
    """Return whether wrong passwords may still keep a person from signing in somewhere: they reached a limit
    less than a day ago, and nobody has unlocked sign-in since."""
    if blocked_at is None or now >= blocked_at + BLOCKED_FOR:
        return False
    return unlocked_at is None or unlocked_at <= blocked_at


def check_address(
    *,
    new: str,
    old: str,
    is_used: bool,
    roles: Iterable[str],
    is_staff: bool,
    is_platform: bool,
    changed_at: datetime | None,
    now: datetime,
) -> None:
    """Raise a refusal if an administrator may not ask to change a person's address: the person is an
    administrator or auditor, and this is not the server's command (`address-privileged`); it is theirs
    already (`same-address`), or somebody else's (`address-in-use`); or an earlier change can still be undone
    (`address-recent`)."""
    if not is_platform and (is_staff or not {ADMINISTRATOR, AUDITOR}.isdisjoint(roles)):
        raise AccountRefused("address-privileged")
    if new.casefold() == old.casefold():
        raise WrongState("same-address")
    if is_used:
        raise WrongState("address-in-use")
    if changed_at is not None and now < changed_at + UNDO_WITHIN:
        raise WrongState("address-recent")


def address_answers(
    *, state: str, expires_at: datetime, decided_at: datetime | None, now: datetime
) -> str | None:
    """Return what the former address can do about a change of it: `stop` one that was asked for, `undo` one
    that took effect, or None if it is too late or was decided otherwise."""
    if state == "requested" and now < expires_at:
        return "stop"
    if state == "taken" and decided_at is not None and now < decided_at + UNDO_WITHIN:
        return "undo"
    return None
