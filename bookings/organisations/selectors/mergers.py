"""What merging an organisation into another, or closing it, would take along or is kept from by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, UUIDField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import (
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationMove,
    OutboxMessage,
    RoleGrant,
)
from accounts.selectors.memberships import place_of, roles_left_out
from accounts.selectors.organisations import organisation_by_id
from bookings.availability.models import KeptHours
from bookings.browsing.models import SavedSearch
from bookings.funding.models import Earmark, FundingSource
from bookings.messaging.models import WebhookEndpoint
from bookings.plans.models import WaitingWish
from bookings.pricing.models import Charge, ClosedMonth, VoucherGrant
from bookings.record.domain.refusals import Refusal
from bookings.record.models import Reservation
from bookings.reserving.models import Chain
from bookings.series.models import Series
from bookings.settlement.models import Statement
from instruments.models import Course, Facility, Harvest, Import, ImportMapping, Instrument

NAMED = 20  # of each kind that are named, not only counted
AHEAD = ("held", "requested", "confirmed")


@dataclass(frozen=True)
class Purse:
    """What goes over from a source or grant; `amount` None: a source without a budget."""

    code: str
    currency: str
    amount: Decimal | None


@dataclass(frozen=True)
class Part:
    """So many of a kind, some by name."""

    kind: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Merger:
    """What goes over from `gone` to `into`, which roles are not given there, and what stands in
    the way; with that nothing is carried out."""

    gone: Organisation
    into: Organisation
    parts: tuple[Part, ...]
    purses: tuple[Purse, ...]
    left_out: tuple[RoleGrant, ...]
    in_the_way: tuple[Refusal, ...]
    carried_out: bool = False

    @property
    def version(self) -> int:
        """That of the organisation that goes."""
        return self.gone.version


def ahead_of(organisation: Organisation, now: datetime) -> QuerySet[Reservation]:
    """Return its bookings that have not begun, as payer or as host."""
    return Reservation.objects.filter(
        Q(organisation=organisation) | Q(host=organisation), state__in=AHEAD, start_at__gt=now
    ).order_by("pk")


def kept_ahead(organisation: Organisation, now: datetime) -> QuerySet[KeptHours]:
    """Return the hours that are or will be kept for it."""
    return KeptHours.objects.filter(organisation=organisation, ended_at=None, end_at__gt=now)


def belongings(organisation: Organisation, now: datetime) -> dict[str, QuerySet[Any]]:
    """Return by kind what goes over with an organisation, in the order in which it is locked after
    its instruments (bookings/record/locks.py)."""
    mine = {"organisation": organisation}
    return {
        "series": Series.objects.filter(**mine).order_by("pk"),
        "bookings": ahead_of(organisation, now),
        "chains": Chain.objects.filter(**mine).order_by("pk"),
        "kept": kept_ahead(organisation, now).order_by("pk"),
        "grants": VoucherGrant.objects.filter(**mine).order_by("pk"),
        "sources": FundingSource.objects.filter(**mine).order_by("pk"),
        "people": Membership.objects.filter(**mine, ended_at=None).order_by("pk"),
        "roles": RoleGrant.objects.filter(**mine, revoked_at=None).order_by("pk"),
        "invitations": Invitation.objects.filter(
            **mine, accepted_at=None, withdrawn_at=None
        ).order_by("pk"),
        "requests": JoinRequest.objects.filter(**mine, state="requested").order_by("pk"),
        "facilities": Facility.objects.filter(**mine).order_by("pk"),
        "courses": Course.objects.filter(**mine).order_by("pk"),
        "harvests": Harvest.objects.filter(**mine).order_by("pk"),
        "mappings": ImportMapping.objects.filter(**mine).order_by("pk"),
        "imports": Import.objects.filter(**mine, ended_at=None).order_by("pk"),
        "webhooks": WebhookEndpoint.objects.filter(**mine).order_by("pk"),
        "wishes": WaitingWish.objects.filter(**mine, state="waiting").order_by("pk"),
        "searches": SavedSearch.objects.filter(**mine).order_by("pk"),
    }


def instruments_concerned(organisation: Organisation, now: datetime) -> list[UUID]:
    """Return the instruments under whose locks a merger happens: its own, and those of its bookings
    ahead, wishes and kept hours."""
    own = Instrument.objects.filter(organisation=organisation).values_list("pk", flat=True)
    booked = ahead_of(organisation, now).order_by().values_list("instrument_id", flat=True)
    wished = WaitingWish.objects.filter(organisation=organisation, state="waiting")
    kept = kept_ahead(organisation, now).values_list("instrument_id", flat=True)
    return sorted({*own, *booked, *wished.values_list("instrument_id", flat=True), *kept})


def held_ahead(purses: str, organisation: Organisation, now: datetime) -> dict[UUID, Decimal]:
    """Return by purse (`grant` or `source`) what is set aside in it for bookings that have not
    begun."""
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
    """Return the purses that go over, each with what remains in it besides what bookings that have
    begun need (None: no budget), and what of that is set aside. One that has run out of days or
    money stays, unless something of it is set aside."""
    today = now.date()
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
    """Return what a merger would take along, for who manages organisations at both; `NotPermitted`,
    `NotFound`."""
    gone = organisation_by_id(organisation_id)
    for each in (gone, into):
        if not actor.may("manage-organisations", place_of(each)):
            raise NotPermitted(capability="manage-organisations")
    return load_merger(gone, into, now, by=actor)


def load_merger(gone: Organisation, into: Organisation, now: datetime, *, by: Actor) -> Merger:
    """Return what a merger takes along, before anything is done, with some names of everything;
    `by`: who merges."""
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
            parts.append(Part(kind, count, tuple(_names(kind, rows))))
    return Merger(
        gone=gone,
        into=into,
        parts=tuple(parts),
        purses=tuple(
            Purse(
                row.code,
                row.programme.currency if isinstance(row, VoucherGrant) else row.currency,
                amount,
            )
            for row, amount, _ in purses_going(gone, now)
        ),
        left_out=tuple(left_out),
        in_the_way=tuple(hindrances(gone, into, now)),
    )


def _names(kind: str, rows: QuerySet[Any]) -> Iterable[str]:
    """Return the names of things that have one; bookings and the like are only counted."""
    if kind == "people":
        return rows.order_by("user__name").values_list("user__name", flat=True)[:NAMED]
    if kind == "roles":
        held = rows.select_related("user").order_by("user__name", "role")[:NAMED]
        return [f"{grant.user}: {grant.get_role_display()}" for grant in held]
    if kind in {"instruments", "facilities", "courses", "harvests", "mappings"}:
        return rows.order_by("name").values_list("name", flat=True)[:NAMED]
    return ()


def hindrances(gone: Organisation, into: Organisation, now: datetime) -> Iterable[Refusal]:
    """Return what keeps one from being merged into the other."""
    if gone.pk == into.pk:
        yield Refusal("same-organisation")
    for each in (gone, into):
        if each.closed_at is not None:
            yield Refusal("organisation-closed", {"organisation": each.code})
    if OrganisationMove.objects.filter(
        organisation=gone, carried_out_at=None, withdrawn_at=None
    ).exists():
        yield Refusal("move-ahead")
    theirs = kept_ahead(into, now).filter(
        instrument=OuterRef("instrument"),
        start_at__lt=OuterRef("end_at"),
        end_at__gt=OuterRef("start_at"),
    )
    if kept_ahead(gone, now).filter(Exists(theirs)).exists():
        yield Refusal("kept-for-both")


def load_open_business(organisation: Organisation) -> tuple[Refusal, ...]:
    """Return what keeps an organisation from being closed, each with how many there are. A charge
    that is still to be made, or to be put on a statement, would have nobody to pay it; nor would
    what it has absorbed."""
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
        "charges-open": Charge.objects.filter(both, final_at=None),
        "charges-not-drawn": Charge.objects.filter(both, ~Exists(drawn), final_at__isnull=False),
        "statements-unpaid": Statement.objects.filter(
            Q(payer__in=books) | Q(host__in=books), state__in=("issued", "part_paid")
        ),
        "move-ahead": OrganisationMove.objects.filter(
            organisation=organisation, carried_out_at=None, withdrawn_at=None
        ),
    }
    open_rows = {code: rows.count() for code, rows in counts.items()}
    return tuple(Refusal(code, {"count": count}) for code, count in open_rows.items() if count)
