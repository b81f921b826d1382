"""The accounts of people, as administrators see them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain import administration as rules
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import ADMINISTRATOR, Actor, Place
from accounts.models import (
    AddressChange,
    ApiToken,
    FactorReset,
    Membership,
    Message,
    OutboxMessage,
    RoleGrant,
    TrailEntry,
    User,
    Viewing,
)
from accounts.selectors.programs import described, programs_of
from accounts.selectors.rows import visible
from accounts.selectors.tokens import tokens_of
from accounts.selectors.users import PlaceOfPerson, places_of

MOST_SHOWN = 20
# What the list of accounts is narrowed to.
STATES = {
    "suspended": _("suspended"),
    "locked": _("locked after wrong passwords"),
    "reset": _("reset of the second factor requested"),
}
BLOCK, UNLOCK = "user.sign-in-block", "user.sign-in-unlock"


def unlocked_key(user_id: UUID) -> str:
    """Return the key in the cache under which the last unlocking of a person's sign-in is marked."""
    return f"sign-in-unlocked:{user_id.hex}"


def unlocked_mark(user_id: UUID) -> str:
    """Return what is added to the keys of failed attempts since sign-in was unlocked; usually nothing."""
    return str(cache.get(unlocked_key(user_id)) or "")


def accounts_for(actor: Actor, text: str = "") -> QuerySet[User]:
    """Return the accounts in which every word of a text occurs in the person's name or address, or in the
    name or code of an organisation of theirs. Only administrators may read them."""
    if not (actor.is_platform or actor.may("administer", Place(None))):
        raise NotPermitted(capability="administer")
    rows = User.objects.filter(erased_at=None, is_service=False)
    for word in text.replace("\0", "").split()[:5]:
        places = Membership.objects.filter(user=OuterRef("pk"), ended_at=None).filter(
            Q(organisation__name__icontains=word)
            | Q(organisation__name_zh__icontains=word)
            | Q(organisation__code__icontains=word)
        )
        rows = rows.filter(Q(name__icontains=word) | Q(email__icontains=word) | Exists(places))
    return rows.order_by("name", "email", "pk")


def accounts_in(rows: QuerySet[User], state: str, now: datetime) -> QuerySet[User]:
    """Return the accounts in a state of `STATES`; all if it is empty."""
    match state:
        case "suspended":
            return rows.filter(is_active=False, erasure_asked_at=None).exclude(suspended_at=None)
        case "locked":
            return rows.filter(pk__in=locked_among(None, now))
        case "reset":
            return rows.filter(pk__in=resets_open(now).values("user"))
    return rows


def account_by_id(actor: Actor, user_id: UUID) -> User:
    """Return an account; raise `NotFound` if there is none, or it is erased."""
    return visible(accounts_for(actor), pk=user_id)


@dataclass
class Told:
    """A message to a person, with the state of its mail: `sent`, `waiting`, `failed` or `off`."""

    message: Message
    state: str
    error: str = ""


@dataclass
class Account:
    """Everything about a person's account that an administrator is shown."""

    user: User
    state: str
    blocked_at: datetime | None
    places: list[PlaceOfPerson]
    factors: list[Authenticator]
    sessions: list[UserSession]
    tokens: list[ApiToken]
    programs: list[Any]
    told: list[Told]
    done: list[TrailEntry]
    reset: FactorReset | None
    address_change: AddressChange | None

    @property
    def id(self) -> UUID:
        return self.user.pk

    @property
    def has_access(self) -> bool:
        """Return whether programs may act as the person, by tokens or because they have allowed it."""
        return bool(self.tokens or self.programs)

    @property
    def has_codes(self) -> bool:
        """Return whether the person has recovery codes."""
        return any(one.type == Authenticator.Type.RECOVERY_CODES for one in self.factors)


def load_account(actor: Actor, user_id: UUID, now: datetime) -> Account:
    """Return what administrators see of a person's account. It takes some fifteen statements."""
    user = account_by_id(actor, user_id)
    return Account(
        user=user,
        state=state_of(user),
        blocked_at=sign_in_blocked_at(user_id, now),
        places=places_of(user),
        factors=list(Authenticator.objects.filter(user=user).order_by("pk")),
        sessions=sessions_of(user),
        tokens=list(tokens_of(user).filter(expires_at__gt=now)),
        programs=described(programs_of(user, now)),
        told=told_to(user),
        done=acts_of(user),
        reset=FactorReset.objects.filter(user=user, state="requested", expires_at__gt=now)
        .select_related("asked_by")
        .first(),
        address_change=AddressChange.objects.filter(user=user, state="requested", expires_at__gt=now)
        .select_related("asked_by")
        .first(),
    )


def state_of(user: User) -> str:
    """Return `active`, `suspended` or `closed`."""
    if user.is_active:
        return "active"
    return "suspended" if user.suspended_at and not user.erasure_asked_at else "closed"


def locked_among(people: Collection[UUID] | None, now: datetime) -> set[UUID]:
    """Return to which of these accounts, or of all, wrong passwords block sign-in. It takes one
    statement."""
    entries = TrailEntry.objects.filter(action__in=(BLOCK, UNLOCK), at__gt=now - rules.BLOCKED_FOR)
    if people is not None:
        entries = entries.filter(object_id__in=people)
    last: dict[UUID, dict[str, datetime]] = {}
    for person, action, at in entries.order_by("at").values_list("object_id", "action", "at"):
        last.setdefault(person, {})[action] = at
    return {who for who, at in last.items() if rules.is_blocked(at.get(BLOCK), at.get(UNLOCK), now)}


def resets_open(now: datetime) -> QuerySet[FactorReset]:
    """Return the requests to reset a second factor that may still be confirmed."""
    return FactorReset.objects.filter(state=FactorReset.State.REQUESTED, expires_at__gt=now)


def resets_to_confirm(actor: Actor, now: datetime) -> QuerySet[FactorReset]:
    """Return the requests to reset a second factor that wait for this administrator: others have asked, for
    somebody else, and this one is no newcomer (`is_newcomer`)."""
    held = RoleGrant.objects.filter(user=actor.person, role=ADMINISTRATOR, revoked_at=None)
    may = Q(granted_by=None, granted_at__lt=OuterRef("created_at"))
    may |= Q(granted_at__lte=OuterRef("created_at") - rules.HELD_FOR)
    rows = resets_open(now).exclude(asked_by_id=actor.person).exclude(user_id=actor.person)
    return rows.filter(Exists(held.filter(may)))


def marked(users: Iterable[User], now: datetime) -> list[User]:
    """Return accounts with their `state`, whether they are `locked` after wrong passwords, and whether
    somebody asks to reset the second factor (`reset_asked`). It takes two statements."""
    rows: list[Any] = list(users)
    people = [row.pk for row in rows]
    locked = locked_among(people, now)
    asked = set(resets_open(now).filter(user__in=people).values_list("user_id", flat=True))
    for row in rows:
        row.state, row.locked, row.reset_asked = state_of(row), row.pk in locked, row.pk in asked
    return rows


def sign_in_blocked_at(user_id: UUID, now: datetime) -> datetime | None:
    """Return when wrong passwords last blocked sign-in to an account; None if they no longer do."""
    entries = TrailEntry.objects.filter(object_id=user_id, at__gt=now - rules.BLOCKED_FOR)
    last = dict(entries.filter(action__in=(BLOCK, UNLOCK)).order_by("at").values_list("action", "at"))
    blocked_at = last.get(BLOCK)
    return blocked_at if rules.is_blocked(blocked_at, last.get(UNLOCK), now) else None


def sessions_of(user: User) -> list[UserSession]:
    """Return the sessions in which a person is signed in, the newest first."""
    there = Session.objects.filter(session_key=OuterRef("session_key"))
    return list(UserSession.objects.filter(Exists(there), user=user).order_by("-created_at"))


def acts_of(user: User) -> list[TrailEntry]:
    """Return the latest entries of the trail of what a person did, or what was done to their account. Those
    of a second factor that was turned on or off name its `factor`."""
    entries = TrailEntry.objects.filter(Q(actor_id=user.pk) | Q(object_id=user.pk))
    rows: list[Any] = list(entries.order_by("-at", "-id")[:MOST_SHOWN])
    types = dict(Authenticator.Type.choices)
    for row in rows:
        of_factor = row.action.startswith("user.factor-") and row.after
        row.factor = types.get(row.after.get("type")) if of_factor else None
    return rows


def told_to(user: User) -> list[Told]:
    """Return the latest messages to a person with what became of their mails. Two statements."""
    messages = Message.objects.filter(user=user).defer("html", "calendar", "text")
    rows = list(messages.order_by("-created_at", "-id")[:MOST_SHOWN])
    mails = {row.key: row for row in OutboxMessage.objects.filter(key__in=[mail_key(row) for row in rows])}
    return [_told(row, mails.get(mail_key(row))) for row in rows]


def mail_key(message: Message) -> str:
    """Return the key of the effect that sends a message by mail."""
    return f"letter:{message.pk}"


def _told(message: Message, mail: OutboxMessage | None) -> Told:
    if message.mailed_at is not None:
        return Told(message, "sent")
    if mail is not None and mail.outcome == "failed":
        return Told(message, "failed", mail.last_error)
    return Told(message, "off" if message.mail == Message.Mail.OFF else "waiting")


def other_administrators(besides: Sequence[UUID]) -> QuerySet[User]:
    """Return the active administrators except these people."""
    grants = RoleGrant.objects.filter(role=ADMINISTRATOR, revoked_at=None)
    return User.objects.filter(is_active=True, pk__in=grants.values("user")).exclude(pk__in=besides)


def can_be_confirmed(besides: Sequence[UUID], asked_at: datetime) -> bool:
    """Return whether an administrator except these people could confirm what is asked at this time."""
    others = other_administrators(besides).values("pk")
    grants = RoleGrant.objects.filter(role=ADMINISTRATOR, revoked_at=None, user__in=others)
    return any(not rules.is_newcomer(row.granted_at, row.granted_by_id is None, asked_at) for row in grants)


def viewing_of(viewing_id: str, viewer: User, now: datetime) -> Viewing | None:
    """Return the looking at pages as somebody that a session names, if it goes on."""
    return (
        Viewing.objects.filter(pk=viewing_id, viewer=viewer, ended_at=None, expires_at__gt=now)
        .select_related("user")
        .first()
    )
