"""Messages to who manages an organisation about its service accounts."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage, ServiceAccount, User
from accounts.selectors.memberships import managers_or_administrators
from bookings.programs.domain.accounts import stops_at

_ACCOUNTS = ServiceAccount.objects.select_related("user", "organisation__region", "created_by")


def _content(account: ServiceAccount, row: OutboxMessage, now: datetime) -> Content:
    by = row.payload.get("by")
    return Content(
        account.pk,
        reverse("bookings:service-account", kwargs={"service_id": account.pk}),
        {"name": account.user.name},
        {
            "account": account,
            "actor": User.objects.filter(pk=by).first() if by else None,
            "at": row.created_at,
            "stops_at": account.asked_at and stops_at(account.asked_at),
        },
    )


def _kind(what: str, subject: object, lead: object, *states: str) -> Kind:
    return Kind(
        f"program.{what}",
        subject,
        lead,
        topic="connection",
        load=row_of(_ACCOUNTS, "account"),
        readers=lambda account: managers_or_administrators(account.organisation_id),
        content=_content,
        template="bookings/programs/mail/account",
        is_still_true=lambda account, row, now: account.state in states,
    )


@dataclass(frozen=True)
class Allowed:
    """A program of a service account, and the person who has allowed it to act for them."""

    account: ServiceAccount
    person: User


def _allowed(row: OutboxMessage, now: datetime) -> Allowed | None:
    account = _ACCOUNTS.filter(pk=row.payload["account"]).first()
    person = User.objects.filter(pk=row.payload["user"], is_active=True).first()
    return Allowed(account, person) if account and person else None


def _allowed_content(allowed: Allowed, row: OutboxMessage, now: datetime) -> Content:
    return Content(
        allowed.account.pk,
        reverse("accounts:profile") + "#programs",
        {"name": row.payload["client"]},
        {
            "account": allowed.account,
            "program": row.payload["client"],
            "scopes": row.payload["scopes"].split(),
            "at": row.created_at,
        },
    )


_OPEN = ("active", "asked")
KINDS = table(
    _kind(
        "made",
        _("Service account made: {name}"),
        _("A service account was made with which programs act for your organisation."),
        *_OPEN,
    ),
    _kind(
        "changed",
        _("Service account may do more: {name}"),
        _("A service account of your organisation got further roles or permissions."),
        *_OPEN,
    ),
    _kind(
        "token",
        _("New token of a service account: {name}"),
        _("Somebody made a token with which programs act as this service account."),
        *_OPEN,
    ),
    _kind(
        "client",
        _("New OAuth client of a service account: {name}"),
        _("Somebody made an OAuth client of this service account, with which programs fetch tokens."),
        *_OPEN,
    ),
    _kind(
        "look",
        _("Is it still needed? Service account {name}"),
        _("Nobody has said for a year that this service account is needed. Confirm it, or end it."),
        "asked",
    ),
    _kind(
        "stopped",
        _("Service account stopped: {name}"),
        _("Nobody said that it is still needed, so its tokens no longer work. It goes on if you confirm it."),
        "stopped",
    ),
    Kind(
        "program.allowed",
        _("A program may act for you: {name}"),
        _("You have allowed a program to act as you. If it was not you, remove it and change your password."),
        load=_allowed,
        readers=lambda allowed: [allowed.person],
        content=_allowed_content,
        template="bookings/programs/mail/allowed",
        is_urgent=True,
    ),
)
