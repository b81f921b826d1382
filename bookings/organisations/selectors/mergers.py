"""Find what merging an organisation into another, or closing it, would move, and what prevents it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, UUIDField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.areas import Merges, areas, computed
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Organisation, OrganisationMove, OutboxMessage, RoleGrant
from accounts.selectors.memberships import place_of, roles_left_out
from accounts.selectors.organisations import organisation_by_id
from bookings.availability.selectors.kept_hours import kept_ahead
from bookings.bank.selectors.bank import credits_left, waiting_at
from bookings.funding.models import Earmark, FundingSource
from bookings.pricing.models import Charge, ClosedMonth, VoucherGrant, VoucherProgramme
from bookings.record.domain.refusals import Refusal
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import AHEAD, ahead_of
from bookings.settlement.models import Statement
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.training.models import Enrolment

NAMED = 20  # of each kind that are named, not only counted


@dataclass(frozen=True)
class Purse:
    """Money that moves from a source or grant; `amount` is None for a source without a budget."""

    code: str
    currency: str
    amount: Decimal | None
    of: VoucherProgramme | FundingSource  # which has the name


@dataclass(frozen=True)
class KindCount:
    """The number of things of one kind, with the names of some of them."""

    kind: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Merger:
    """Everything that moves from `gone` to `into`, the roles that are not given there (`left_out`), and the
    reasons against the merger (`in_the_way`), any of which prevents it."""

    gone: Organisation
    into: Organisation
    parts: tuple[KindCount, ...]
    purses: tuple[Purse, ...]
    left_out: tuple[RoleGrant, ...]
    in_the_way: tuple[Refusal, ...]
    carried_out: bool = False

    @property
    def version(self) -> int:
        """Return the version of the organisation that is merged into the other."""
        return self.gone.version


@computed
def kinds_going() -> tuple[Merges, ...]:
    """Return the kinds of rows that move with an organisation, of all areas, in the order in which they are
    locked."""
    return tuple(sorted((kind for area in areas() for kind in area.merges), key=lambda kind: kind.turn))


def rows_going(kind: Merges, organisation: Organisation, now: datetime) -> QuerySet[Any]:
    """Return the rows of a kind that move from an organisation to the one it is merged into."""
    if kind.rows is not None:
        return kind.rows(organisation, now).order_by("pk")
    return kind.model._default_manager.filter(**kind.where, **{kind.owner: organisation}).order_by("pk")


def belongings(organisation: Organisation, now: datetime) -> dict[str, QuerySet[Any]]:
    """Return the rows that move with an organisation, by kind, in the order in which they are locked."""
    return {kind.kind: rows_going(kind, organisation, now) for kind in kinds_going()}


def instruments_concerned(organisation: Organisation, now: datetime) -> list[UUID]:
    """Return the instruments to lock for a merger: the organisation's own, and those of its upcoming
    bookings, waiting-list entries and guaranteed hours."""
    found = {*Instrument.objects.filter(organisation=organisation).values_list("pk", flat=True)}
    for kind in kinds_going():
        if kind.at_instruments:
            rows = rows_going(kind, organisation, now).order_by()
            found |= {*rows.values_list("instrument_id", flat=True)}
    return sorted(found)


def held_ahead(purses: str, organisation: Organisation, now: datetime) -> dict[UUID, Decimal]:
    """Return the money reserved for upcoming bookings, by the id of the grant or funding source. `purses` is
    `grant` or `source`."""
    rows = Earmark.objects.filter(
        **{f"{purses}__organisation": organisation},
        released_at=None,
        reservation__in=ahead_of(organisation, now).order_by().values("pk"),
    )
    sums: dict[UUID, Decimal] = {}
    for purse, held in rows.values_list(f"{purses}_id", "held"):
        sums[purse] = sums.get(purse, Decimal(0)) + held
    return sums


def purses_going(
    organisation: Organisation, now: datetime
) -> list[tuple[VoucherGrant | FundingSource, Decimal | None, Decimal]]:
    """Return the grants and sources that move. Each comes with what is left beyond what bookings already
    begun need (None: no budget), and with how much of that is reserved. One that has run out of days or money
    stays, unless some of it is reserved."""
    today = local_date(ZoneInfo(organisation.region.time_zone), now)
    going: list[tuple[VoucherGrant | FundingSource, Decimal | None, Decimal]] = []
    for kind, model in (("grant", VoucherGrant), ("source", FundingSource)):
        ahead = held_ahead(kind, organisation, now)
        rows: QuerySet[Any] = model._default_manager.filter(organisation=organisation)
        for row in rows.order_by("pk"):
            set_aside = ahead.get(row.pk, Decimal(0))
            left = row.left
            amount = None if left is None else max(left, Decimal(0)) + set_aside
            is_over = row.valid_until is not None and row.valid_until < today
            if row.pk in ahead or not (is_over or amount == 0):
                going.append((row, amount, set_aside))
    return going


def merger_for(actor: Actor, organisation_id: UUID, into: Organisation, now: datetime) -> Merger:
    """Return what a merger would move, for an actor who manages organisations at both sides; raise
    `NotPermitted` or `NotFound` otherwise."""
    gone = organisation_by_id(organisation_id)
    for each in (gone, into):
        if not actor.may("manage-organisations", place_of(each)):
            raise NotPermitted(capability="manage-organisations")
    return load_merger(gone, into, now, by=actor)


def load_merger(gone: Organisation, into: Organisation, now: datetime, *, by: Actor) -> Merger:
    """Return what a merger would move, with some names of each kind, before anything is done; `by` says who
    merges."""
    instruments = Instrument.objects.filter(organisation=gone).order_by("name", "pk")
    kinds: dict[str, QuerySet[Any]] = {"instruments": instruments} | belongings(gone, now)
    left_out = roles_left_out(by, gone, into)
    kinds["roles"] = kinds["roles"].exclude(pk__in=[grant.pk for grant in left_out])
    parts = []
    for kind, rows in kinds.items():
        if kind in {"grants", "sources"}:
            continue
        count = rows.count()
        if count:
            parts.append(KindCount(kind, count, tuple(_names(kind, rows))))
    return Merger(
        gone=gone,
        into=into,
        parts=tuple(parts),
        purses=tuple(
            Purse(row.code, of.currency, amount, of)
            for row, amount, _ in purses_going(gone, now)
            for of in (row.programme if isinstance(row, VoucherGrant) else row,)
        ),
        left_out=tuple(left_out),
        in_the_way=tuple(hindrances(gone, into, now)),
    )


def _names(kind: str, rows: QuerySet[Any]) -> Iterable[str]:
    """Return the names of those things of a kind that have one; bookings and the like are only counted."""
    if kind == "roles":
        held = rows.select_related("user").order_by("user__name", "role")[:NAMED]
        return [f"{grant.user}: {grant.get_role_display()}" for grant in held]
    names = {"instruments": "name"} | {each.kind: each.names for each in kinds_going()}
    return rows.order_by(names[kind]).values_list(names[kind], flat=True)[:NAMED] if names[kind] else ()


def hindrances(gone: Organisation, into: Organisation, now: datetime) -> Iterable[Refusal]:
    """Yield the reasons why one organisation cannot be merged into the other."""
    if gone.pk == into.pk:
        yield Refusal("same-organisation")
    for each in (gone, into):
        if each.closed_at is not None:
            yield Refusal("organisation-closed", {"organisation": each.code})
    if OrganisationMove.objects.filter(organisation=gone, carried_out_at=None, withdrawn_at=None).exists():
        yield Refusal("move-ahead")
    theirs = kept_ahead(into, now).filter(
        instrument=OuterRef("instrument"), start_at__lt=OuterRef("end_at"), end_at__gt=OuterRef("start_at")
    )
    if kept_ahead(gone, now).filter(Exists(theirs)).exists():
        yield Refusal("kept-for-both")
    # Later statements name the other organisation: credit of, or at, the one that goes would pay none.
    if count := credits_left([gone.pk, *gone.absorbed]).count():
        yield Refusal("credit-left", {"count": count})


def load_open_business(organisation: Organisation) -> tuple[Refusal, ...]:
    """Return what prevents closing an organisation, each with a count. It includes charges still to be made
    or to be put on a statement, which nobody would pay, and everything of the organisations merged into
    it."""
    books = [organisation.pk, *organisation.absorbed]
    both = Q(organisation__in=books) | Q(host__in=books)
    drawn = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    to_charge = OutboxMessage.objects.filter(
        Q(done_at=None) | Q(outcome="failed"), kind="charge.due"
    ).annotate(reservation=Cast(KT("payload__reservation"), UUIDField()))
    counts: dict[str, QuerySet[Any]] = {
        "bookings-ahead": Reservation.objects.filter(both, state__in=(*AHEAD, "in_use")),
        "instruments-published": Instrument.objects.filter(
            organisation=organisation, publication__in=("published", "suspended")
        ),
        "charges-to-make": Reservation.objects.filter(both, pk__in=to_charge.values("reservation")),
        "places-to-settle": Enrolment.objects.filter(
            organisation__in=books, state__in=("enrolled", "waiting"), session__cancelled_at=None
        ),
        "charges-open": Charge.objects.filter(both, final_at=None),
        "charges-not-drawn": Charge.objects.filter(both, ~Exists(drawn), final_at__isnull=False),
        "statements-unpaid": Statement.objects.filter(
            Q(payer__in=books) | Q(host__in=books), state__in=("issued", "part_paid")
        ),
        "credit-left": credits_left(books),
        "transactions-waiting": waiting_at(books),
        "move-ahead": OrganisationMove.objects.filter(
            organisation=organisation, carried_out_at=None, withdrawn_at=None
        ),
    }
    open_rows = {code: rows.count() for code, rows in counts.items()}
    return tuple(Refusal(code, {"count": count}) for code, count in open_rows.items() if count)
