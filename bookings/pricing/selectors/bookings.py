"""Lists of bookings: a person's own, those of managed instruments, requests to decide, bookings to
complete."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from django.db.models import (
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import By
from accounts.models import Region
from accounts.selectors.rows import as_uuid
from bookings.pricing.models import Quote
from bookings.pricing.selectors.samples import with_number_of_samples
from bookings.record.domain.periods import Period
from bookings.record.domain.references import LONGEST_REFERENCE
from bookings.record.domain.reservations import RELEASED, effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, ID, Column, Filter, Listing, amount_cell
from bookings.record.selectors.reservations import (
    ONLY_HELD,
    booked_by,
    booked_by_side,
    hosted_reservations,
    in_states,
    operated_reservations,
    own_reservations,
    reservations_at_work,
    reservations_for,
)
from instruments.register.models import Instrument

# Fields in which lists look for words.
WORDS = (
    "instrument__name", "instrument__name_zh", "user__name", "user__email", "organisation__name",
    "organisation__name_zh", "organisation__code", "purpose_text",
)  # fmt: skip


def _quoted(name: str) -> Subquery:
    quotes = Quote.objects.filter(reservation=OuterRef("pk"), is_current=True)
    return Subquery(quotes.values(name))


ALIASES = {
    "booking": Cast(F("pk"), TextField()),  # as it stands in addresses and on statements
    "booked": ExpressionWrapper(F("end_at") - F("start_at"), DurationField()),
    "price": _quoted("payable"),
}


def booked_minutes(row: Reservation, state: str) -> int:
    """Return the minutes for which a booking in this state takes its instrument: none once the time is free
    again."""
    return 0 if state in RELEASED else Period(row.start_at, row.end_at).minutes


def used_minutes(row: Reservation) -> int | None:
    """Return the minutes for which a booking was used; None if its use has not ended, or nobody recorded
    it."""
    session = getattr(row, "session", None)
    if session is None or session.checked_out_at is None:
        return None
    return int((session.checked_out_at - session.checked_in_at).total_seconds() // 60)


def load_prices(rows: Iterable[Reservation]) -> None:
    """Give bookings what was quoted for them, in `price` and `currency`; None for those without a quote. One
    statement."""
    rows = list(rows)
    quotes = Quote.objects.filter(reservation__in=rows, is_current=True)
    prices = {pk: rest for pk, *rest in quotes.values_list("reservation", "payable", "currency")}
    for row in rows:
        row.price, row.currency = prices.get(row.pk, (None, ""))  # type: ignore[attr-defined]


def _state(row: Reservation, by: By) -> str:
    return effective_state(row.state, row.deadline_at, by.now)


def _booked(row: Reservation, by: By) -> int:
    return booked_minutes(row, _state(row, by))


def _hours(minutes: int | None) -> Decimal | None:
    return None if minutes is None else (Decimal(minutes) / 60).quantize(Decimal("0.01"))


def _of_person(rows: QuerySet[Reservation], text: str, by: By) -> QuerySet[Reservation]:
    pk = as_uuid(text)
    return rows.filter(user_id=pk) if pk else rows.filter(user__email__iexact=text)


def _of_region(rows: QuerySet[Reservation], code: str, by: By) -> QuerySet[Reservation]:
    named = list(Region.objects.filter(code=code).values_list("pk", flat=True))
    return rows.filter(payer_region__in=Region.objects.filter(lineage__overlap=named).values("pk"))


def _with_files_cells(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    rows = with_number_of_samples(rows)
    return rows.annotate(price=_quoted("payable"), currency=_quoted("currency"))


def _quoted_where_seen(name: str) -> Case:
    return Case(When(is_priced=True, then=_quoted(name)))


def _with_seen(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    rows = with_number_of_samples(rows)
    return rows.annotate(price=_quoted_where_seen("payable"), currency=_quoted_where_seen("currency"))


def _reference(row: Reservation, by: By) -> str:
    return row.reference if booked_by(by.actor, row) else ""


REFERENCE = Filter(
    "reference",
    lambda rows, text, by: rows.filter(booked_by_side(by.actor), reference=text),
    help="Bookings of your side with this reference of your own.",
    most=LONGEST_REFERENCE,
)
BOOKINGS = Listing(
    "bookings",
    reservations_for,
    (
        Column("booking", "pk"),
        Column("instrument", "instrument.name", _("Instrument"), "instrument__name"),
        Column("start", "start_at", _("Booked"), "start_at"),
        Column("end", "end_at"),
        Column("person", "user", _("Person"), "user__name"),
        Column("payer", "organisation.code", sort="organisation__name"),
        Column("payer_name", "organisation.name"),
        Column("payer_region", "payer_region.code"),
        Column("host", sort="host__name"),
        Column("state", _state, _("State"), "state"),
        Column("mode", "service_mode", _("Way of working"), "service_mode"),
        Column("requested", sort="requested_at"),
        Column("samples", lambda row, by: row.number_of_samples or ""),
        Column("hours", lambda row, by: _hours(_booked(row, by)), _("Hours"), "booked", "end"),
        Column("hours_used", lambda row, by: _hours(used_minutes(row))),
        Column(
            "price",
            lambda row, by: None if row.price is None else amount_cell(row.price, row.currency),
            _("Price"),
            "price",
            "end",
        ),
        Column("currency", lambda row, by: row.currency),
        Column("reference", _reference),
    ),
    words=(*WORDS, "booking"),
    aliases=ALIASES,
    q_help="Part of the booking's id, of the name of the instrument, person or payer, of the person's "
    "address, or of the purpose.",
    day="start_at",
    filters=(
        Filter("instrument", "instrument_id", ID),
        Filter(
            "state",
            lambda rows, states, by: in_states(rows, map(str.strip, states.split(",")), by.now),
            CHOICE,
            choices=[each for each in Reservation.State.choices if each[0] != "held"],
        ),
        Filter("mode", "service_mode", CHOICE, choices=Instrument.ServiceMode.choices),
        Filter("person", _of_person, help="Id or e-mail address of the person.", most=254),
        Filter("organisation", "organisation__code", help="Code of the paying organisation."),
        Filter("region", _of_region, help="Code of the payer's region, or of one above it."),
        REFERENCE,
    ),
    for_files=lambda rows, by: _with_files_cells(rows),
    # Slots that were only held are removed some time, bookings never.
    copied=~ONLY_HELD & ~Q(state="held"),
)
OWN_BOOKINGS = replace(
    BOOKINGS,
    rows=own_reservations,
    words=("instrument__name", "instrument__name_zh", "host__name", "host__name_zh", "host__code", "booking"),
    filters=(replace(REFERENCE, label=_("Reference")),),
)
HOSTED_BOOKINGS = replace(BOOKINGS, rows=hosted_reservations)
# For whoever operates instruments: neither shown nor sorted by what they cost.
OPERATED_BOOKINGS = replace(
    BOOKINGS,
    rows=operated_reservations,
    columns=tuple(one for one in BOOKINGS.columns if one.name not in ("price", "currency")),
    aliases={name: value for name, value in ALIASES.items() if name != "price"},
    for_files=lambda rows, by: with_number_of_samples(rows),
)
# For whoever operates some and manages others: with the prices of those in `is_priced`.
AT_WORK_BOOKINGS = replace(
    BOOKINGS,
    rows=reservations_at_work,
    aliases=ALIASES | {"price": _quoted_where_seen("payable")},
    for_files=lambda rows, by: _with_seen(rows),
)
REQUESTS = replace(BOOKINGS, name="requests", filters=BOOKINGS.filters[:1])
