"""Read guaranteed hours: as values for the rules, and as far as people may see them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest, Least

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from accounts.selectors.memberships import in_scope
from bookings.availability.domain.kept_hours import Kept
from bookings.availability.models import KeptHours
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import COUNTED
from bookings.record.models import Reservation
from instruments.register.models import Instrument


def kept_rows(
    now: datetime, without: Collection[UUID] = (), *, before: UUID | None = None
) -> QuerySet[KeptHours]:
    """Return all guaranteed hours with `burnt`, the time of them that the holder's bookings use. The
    reservations `without`, and those that do not come before the id `before`, do not count."""
    bookings = Reservation.objects.filter(
        Q(deadline_at=None) | Q(deadline_at__gt=now),
        # Bookings of an organisation that the holder has absorbed count as the holder's.
        Q(organisation=OuterRef("organisation"))
        | Q(organisation_id__one_of=OuterRef("organisation__absorbed")),
        instrument=OuterRef("instrument"),
        state__in=COUNTED,
        start_at__lt=OuterRef("end_at"),
        end_at__gt=OuterRef("start_at"),
    ).exclude(pk__in=list(without))
    if before is not None:
        bookings = bookings.filter(pk__lt=before)
    inside = Least("end_at", OuterRef("end_at")) - Greatest("start_at", OuterRef("start_at"))
    total = bookings.order_by().values("instrument").values(total=Sum(inside))
    return KeptHours.objects.annotate(burnt=Coalesce(Subquery(total), Value(timedelta()))).select_related(
        "organisation__region"
    )


def in_force(now: datetime) -> Q:
    """Return the condition for hours that are or will be in force, of organisations that are not closed."""
    return Q(ended_at=None, end_at__gt=now, organisation__closed_at=None)


def value_of(row: KeptHours) -> Kept:
    """Return a row loaded with `burnt` as the value that the rules use."""
    return Kept(
        holder=row.organisation_id,
        minutes=row.minutes,
        window=Period(row.start_at, row.end_at),
        released_minutes=row.released_minutes,
        burnt=row.burnt // timedelta(minutes=1),  # type: ignore[attr-defined]
        price=row.price,
        currency=row.currency,
        id=row.pk,
    )


def rights_when_held(hold: Reservation, instrument: Instrument, now: datetime) -> tuple[Kept, ...]:
    """Return the guaranteed hours of the holder of a hold that becomes a booking: as many as were left when
    the hold was priced, because later bookings were priced without those, or what is left now if that is
    more. It takes two statements, none if there are no such hours."""
    if not keeps(instrument, now):
        return ()
    mine = in_force(now) & Q(instrument=instrument, organisation=hold.organisation_id)
    then = {k.id: k for k in map(value_of, kept_rows(now, before=hold.pk).filter(mine))}
    rows = map(value_of, kept_rows(now, without=[hold.pk]).filter(mine))
    return tuple(replace(k, burnt=min(k.burnt, then[k.id].burnt)) for k in rows)


def keeps(instrument: Instrument, now: datetime) -> bool:
    """Return whether an instrument (loaded with its policy) may have guaranteed hours. It takes no
    statement."""
    policy = getattr(instrument, "policy", None)
    return policy is not None and policy.kept_until is not None and policy.kept_until > now


def kept_today(organisations: Collection[UUID], now: datetime) -> list[KeptHours]:
    """Return the hours guaranteed to organisations at this moment and not used up, the first to end first."""
    rows = (
        kept_rows(now)
        .filter(in_force(now), organisation__in=list(organisations), start_at__lte=now)
        .select_related("instrument__facility")
        .order_by("end_at", "pk")
    )
    return [row for row in rows if row.left_minutes]


def kept_of(instrument: Instrument, payer: Organisation | None, now: datetime) -> list[KeptHours]:
    """Return the present and future hours of an instrument (loaded with its policy) that are guaranteed to a
    payer, in order. It takes no statement if the instrument has none."""
    if payer is None or not keeps(instrument, now):
        return []
    rows = kept_rows(now).filter(in_force(now), instrument=instrument, organisation=payer)
    return list(rows.select_related("instrument__facility").order_by("start_at", "pk"))


def kept_for(actor: Actor, now: datetime) -> QuerySet[KeptHours]:
    """Return the guaranteed hours that concern the actor, who must be signed in, those in force first: hours
    of organisations they belong to, of instruments they manage or audit, and hours they granted."""
    below = Region.objects.filter(lineage__overlap=list(actor.regions_where("read-bookings")))
    regions = Q(instrument__region__in=below) | Q(organisation__region__in=below)
    return (
        kept_rows(now)
        .filter(
            Q(granted_by_id=actor.person)
            | Q(organisation__in=actor.own_organisations)
            | in_scope(actor.scope_where("read-bookings"), "instrument__organisation")
            | (regions if actor.regions_where("read-bookings") else Q(pk=None))
        )
        .select_related("instrument__facility", "instrument__organisation")
        .order_by(F("ended_at").desc(nulls_first=True), "end_at", "pk")
    )


def kept_ahead(organisation: Organisation, now: datetime) -> QuerySet[KeptHours]:
    """Return the hours that are or will be guaranteed to an organisation."""
    return KeptHours.objects.filter(organisation=organisation, ended_at=None, end_at__gt=now)
