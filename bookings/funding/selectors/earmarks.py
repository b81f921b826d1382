"""Money reserved for a reservation."""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, StringAgg, Value
from django.db.models.functions import Coalesce

from accounts.domain.roles import Actor, Place
from accounts.prepared import Prepared
from accounts.selectors.memberships import place_of
from bookings.funding.models import Earmark
from bookings.funding.selectors.funding import load_purse
from bookings.pricing.domain.quotes import QuoteInput
from bookings.pricing.domain.vouchers import GrantValues
from bookings.pricing.models import VoucherGrant
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import locked
from bookings.record.models import Reservation
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.training.models import Enrolment

# What money is reserved for: a booking, or a place in a course, for which no grant pays.
type Subject = Reservation | Enrolment


@dataclass(frozen=True)
class Earmarked:
    """Money reserved for one reservation and not yet spent: of one grant at most, and of funding sources by
    percent."""

    grant: Earmark | None = None
    sources: tuple[Earmark, ...] = ()

    @property
    def held(self) -> Decimal:
        """Return the amount that is reserved from the grant; 0 without a grant."""
        return self.grant.held if self.grant else Decimal(0)

    @property
    def grant_id(self) -> UUID | None:
        return self.grant.grant_id if self.grant else None


def load_earmarked(reservation_id: UUID, *, lock: bool = False) -> Earmarked:
    """Return what is reserved for a reservation, with grant and source of each. One statement; with `lock`
    one more, so that what the grant has left cannot change meanwhile."""
    if lock:
        held = Earmark.objects.filter(reservation_id=reservation_id, released_at=None)
        grants = VoucherGrant.objects.filter(pk__in=held.values("grant_id")).order_by("pk")
        list(locked(grants).values_list("pk"))
    rows = _EARMARKED.rows(reservation_id=reservation_id)
    return Earmarked(
        grant=next((row for row in rows if row.grant_id is not None), None),
        sources=tuple(row for row in rows if row.source_id is not None),
    )


_EARMARKED = Prepared(
    lambda reservation_id: (
        Earmark.objects.filter(reservation_id=reservation_id, released_at=None)
        .select_related("grant__programme", "source")
        .order_by("created_at", "id")
    )
)


def paying() -> QuerySet[Earmark]:
    """Return all amounts reserved in funding sources, with those sources loaded; without the sources that
    finance has replaced by others."""
    return (
        Earmark.objects.filter(source__isnull=False, percent__gt=0)
        .select_related("source")
        .order_by("created_at", "id")
    )


def paid_for() -> Q:
    """Return the condition on charges that a source pays for the booking or the place in a course."""
    rows = paying().select_related(None).order_by()
    booked = Exists(rows.filter(reservation=OuterRef("reservation")))
    return Q(booked) | Q(Exists(rows.filter(enrolment=OuterRef("enrolment"))))


def codes_by_subject(rows: QuerySet[Earmark]) -> dict[UUID, str]:
    """Return the codes of the sources that pay, by the id of the booking or place. One statement."""
    codes = StringAgg("source__code", Value("; "), distinct=True, order_by="source__code")
    found = rows.order_by().annotate(of=Coalesce("reservation_id", "enrolment_id"))
    return dict(found.values("of").annotate(codes=codes).values_list("of", "codes"))


def sees_funding_of_place(actor: Actor, place: Enrolment) -> bool:
    """Say whether the actor may see what pays for a place in a course: as `sees_funding` of a booking."""
    if actor.user_id in {place.user_id, place.asked_by_id}:
        return True
    return place.organisation is not None and actor.may("read-money", place_of(place.organisation))


def sees_funding(actor: Actor, reservation: Reservation) -> bool:
    """Say whether the actor may see what pays for a booking: its person, whoever made it, and those who look
    after the payer's money; the host's people are not told."""
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return True
    payer = Place(reservation.organisation_id, frozenset(reservation.payer_region.lineage))
    return actor.may("read-money", payer)


def require_funded(instrument: Instrument, reservation: Reservation) -> None:
    """Raise `RulesRefuse` (`funding-blocked`) if a source that would pay for a request has since been
    suspended or is no longer valid on the day it starts. It does not say which source, which is the payer's
    affair, and does not check what is left, as the money is reserved already. One statement."""
    day = local_date(ZoneInfo(instrument.facility.time_zone), reservation.start_at)
    for row in load_earmarked(reservation.pk).sources:
        source = row.source
        if source is not None and (source.suspended_at is not None or not load_purse(source).is_valid(day)):
            raise RulesRefuse([Refusal("funding-blocked")])


def kept_grants(quoted: QuoteInput, earmarked: Earmarked) -> tuple[GrantValues, ...]:
    """Return the grant that a booking keeps, on the terms it was quoted with, with what it may cover now:
    what is reserved for the booking plus what the grant has left. Empty for a booking without one."""
    row = earmarked.grant
    if row is None or row.grant is None:
        return ()
    codes, left = {row.grant.code, *row.grant.former_codes}, row.grant.left + row.held
    return tuple(replace(grant, remaining=left) for grant in quoted.grants if grant.code in codes)
