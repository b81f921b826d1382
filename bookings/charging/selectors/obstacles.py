"""Read what keeps the journal of a month from being closed, and what is still to be done with its charges."""

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import By
from accounts.models import Organisation
from bookings.funding.selectors.earmarks import paid_for
from bookings.pricing.models import Charge
from bookings.record.domain.months import months_span

AS_HOST, AS_PAYER = "host", "payer"
IS_OPEN = Q(state__in=[Charge.State.OPEN, Charge.State.DISPUTED])
IS_INTERNAL = Q(organisation=F("host"))
# What is still to be done, by code, for charges of one side of an organisation.
OBSTACLES = (
    ("internal_open", _("internal charges that are not final yet")),
    ("disputed", _("disputed charges")),
    ("not_final", _("charges that are not final yet")),
    ("unbilled", _("final charges on no statement")),
    ("no_source", _("charges, final or not, that no funding source pays")),
)
# Also those that keep a payer's month from being closed, as closing it counts them.
NARROWING = (*OBSTACLES, ("open", _("charges that are open or disputed")))


def charges_of(organisation: Organisation, side: str, first: date, last: date) -> QuerySet[Charge]:
    """Return the charges of one side that were made in months."""
    zone = ZoneInfo(organisation.region.time_zone)
    since, until = months_span(zone, first, last)
    return of_side(Charge.objects.filter(created_at__gte=since, created_at__lt=until), organisation, side)


def of_side(rows: QuerySet[Charge], organisation: Organisation, side: str) -> QuerySet[Charge]:
    """Return the charges of an organisation on one side; those of a host with its internal ones."""
    if side == AS_HOST:
        return rows.filter(host=organisation)
    return rows.filter(organisation=organisation).exclude(host=F("organisation"))


def obstacle_of(code: str) -> Q:
    """Return the condition on charges of one side that a code of `NARROWING` names."""
    if code == "internal_open":
        return IS_OPEN & IS_INTERNAL
    if code == "open":
        return IS_OPEN
    if code == "disputed":
        return Q(state=Charge.State.DISPUTED) & ~IS_INTERNAL
    if code == "not_final":
        return Q(state=Charge.State.OPEN) & ~IS_INTERNAL
    if code == "unbilled":
        lines = Charge.statement_lines.rel.related_model.objects  # type: ignore[attr-defined]
        return ~IS_OPEN & ~Q(Exists(lines.filter(charge=OuterRef("pk"), is_void=False)))
    owed = Q(payable__gt=0, kind__in=Charge.ORIGINAL) & ~Q(state=Charge.State.REVERSED)
    return owed & ~paid_for()


_BOOKS = re.compile(r"(?P<code>[^:]+):(?P<side>host|payer):(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])")


def books_named(organisation: Organisation, side: str, month: date) -> str:
    """Return the text by which the list of charges is narrowed to a month of an organisation's journal."""
    return f"{organisation.code}:{side}:{month:%Y-%m}"


def books_read(text: str) -> tuple[str, str, date] | None:
    """Return the code of the organisation, the side and the month that `books_named` wrote; None if the text
    names none."""
    named = _BOOKS.fullmatch(text)
    if named is None or named["year"] in ("0000", "9999"):
        return None
    return named["code"], named["side"], date(int(named["year"]), int(named["month"]), 1)


def of_books(rows: QuerySet[Any], text: str, by: By) -> QuerySet[Any]:
    """Return those of charges that belong to a month of a journal, named by `books_named`."""
    if (named := books_read(text)) is None:
        return rows.none()
    code, side, month = named
    organisation = Organisation.objects.filter(code=code).select_related("region").first()
    if organisation is None:
        return rows.none()
    return rows.filter(pk__in=charges_of(organisation, side, month, month).order_by().values("pk"))
