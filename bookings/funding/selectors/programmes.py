"""Voucher programmes and grants as people see them: what is granted, held, redeemed, left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from accounts.selectors.organisations import organisations
from accounts.selectors.rows import visible
from bookings.funding.domain.programmes import grant_state, programme_state
from bookings.funding.models import Earmark
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import visible_to
from instruments.domain.opening import local_date

ZERO = Decimal(0)


@dataclass(frozen=True)
class Figures:
    """Of a grant or of all grants of a programme, in its currency. `granted` is what they come
    to; of it `held` is set aside for bookings made, `redeemed` charged, `transferred` gone to the
    organisation merged into; the rest is left."""

    granted: Decimal = ZERO
    held: Decimal = ZERO
    redeemed: Decimal = ZERO
    grants: int = 0
    transferred: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return self.granted - self.held - self.redeemed - self.transferred


def programmes_for(actor: Actor) -> QuerySet[VoucherProgramme]:
    """Return the programmes of regions the actor coordinates or audits, the newest first."""
    above = list(actor.regions_where("coordinate") | actor.regions_where("read-money"))
    return (
        VoucherProgramme.objects.filter(region__lineage__overlap=above)
        .select_related("region")
        .order_by("-created_at", "-id")
    )


def programme_by_id(actor: Actor, programme_id: UUID) -> VoucherProgramme:
    """Return a programme; `NotFound` if it is not the actor's to see."""
    return visible(programmes_for(actor), pk=programme_id)


def load_figures(programmes: Iterable[VoucherProgramme]) -> dict[UUID, Figures]:
    """Return the figures of programmes. One statement."""
    ids = [programme.pk for programme in programmes]
    rows = (
        VoucherGrant.objects.filter(programme__in=ids)
        .values("programme_id")
        .annotate(
            # What went on to another grant counts there.
            all_amount=Sum(F("amount") - F("transferred")),
            all_held=Sum("held"),
            all_redeemed=Sum("redeemed"),
            number=Count("pk"),
        )
        .order_by()
    )
    figures = {
        row["programme_id"]: Figures(
            row["all_amount"], row["all_held"], row["all_redeemed"], row["number"]
        )
        for row in rows
    }
    return {pk: figures.get(pk, Figures()) for pk in ids}


def figures_of(grant: VoucherGrant) -> Figures:
    """Return the figures of one grant. No statement."""
    return Figures(grant.amount, grant.held, grant.redeemed, 1, grant.transferred)


def grants_for(actor: Actor) -> QuerySet[VoucherGrant]:
    """Return the grants of the actor's organisations, whatever their role there, and of programmes
    that the actor coordinates or audits. The newest first."""
    above = list(actor.regions_where("coordinate") | actor.regions_where("read-money"))
    seen = Q(organisation__in=sorted(actor.own_organisations))
    if above:
        seen |= Q(programme__region__lineage__overlap=above)
    return (
        VoucherGrant.objects.filter(seen)
        .select_related("programme__region", "organisation")
        .order_by("-granted_at", "-id")
    )


def own_grants(actor: Actor) -> QuerySet[VoucherGrant]:
    """Return the grants of the actor's organisations, the first to expire last."""
    rows = VoucherGrant.objects.filter(organisation__in=sorted(actor.own_organisations))
    return rows.select_related("programme__region", "organisation").order_by("-valid_until", "code")


def grant_by_id(actor: Actor, grant_id: UUID) -> VoucherGrant:
    """Return a grant with programme and organisation; `NotFound` if it is not the actor's to
    see."""
    return visible(grants_for(actor), pk=grant_id)


def uses_of(actor: Actor, grants: QuerySet[VoucherGrant] | VoucherGrant) -> QuerySet[Earmark]:
    """The rows behind held and redeemed: what is or was set aside of some grants for which
    booking, the newest first, with the charges made. Of a programme's coordinator all; of
    others those whose booking they may see. What was given back whole is left out."""
    rows = Earmark.objects.filter(Q(held__gt=0) | ~Q(redeemed=0))
    if isinstance(grants, VoucherGrant):
        rows = rows.filter(grant=grants)
    else:
        rows = rows.filter(grant__in=grants.values("pk"))
    seen = Q(reservation__in=Reservation.objects.filter(visible_to(actor)).values("pk"))
    above = list(actor.regions_where("coordinate"))
    if above:
        seen |= Q(grant__programme__region__lineage__overlap=above)
    return (
        rows.filter(seen)
        .select_related(
            "grant__programme",
            "reservation__instrument__facility",
            "reservation__organisation",
            "reservation__host",
        )
        .prefetch_related("reservation__charges")
        .order_by("-created_at", "-id")
    )


def payers_of(programme: VoucherProgramme) -> list[Organisation]:
    """The organisations that may be given a grant of a programme, by name."""
    rows = organisations().filter(region_id=programme.region_id, closed_at=None)
    if programme.payer_kinds:
        rows = rows.filter(kind__in=programme.payer_kinds)
    if programme.is_for_small_only:
        rows = rows.filter(Q(is_small=True) | ~Q(kind=Organisation.Kind.ENTERPRISE))
    return list(rows.order_by("name"))


def host_regions_of(programmes: Iterable[VoucherProgramme]) -> dict[UUID, list[Region]]:
    """Where vouchers of each may be used, by programme; an empty list is everywhere. One
    statement at most."""
    rows = list(programmes)
    ids = {pk for row in rows for pk in row.host_regions}
    known = Region.objects.in_bulk(ids) if ids else {}
    return {
        row.pk: sorted((known[pk] for pk in row.host_regions if pk in known), key=lambda r: r.code)
        for row in rows
    }


def day_at(region: Region, now: datetime) -> date:
    """The local day of a region."""
    return local_date(ZoneInfo(region.time_zone), now)


def state_of_programme(row: VoucherProgramme, now: datetime) -> str:
    """Return the state of a programme; its region is loaded with it."""
    return programme_state(
        is_suspended=row.suspended_at is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        today=day_at(row.region, now),
    )


def state_of_grant(row: VoucherGrant, now: datetime) -> str:
    """Return the state of a grant; its programme and region are loaded with it."""
    programme = row.programme
    ends = [row.valid_until, *([programme.valid_until] if programme.valid_until else [])]
    return grant_state(
        is_suspended=row.suspended_at is not None,
        programme_suspended=programme.suspended_at is not None,
        valid_from=max(row.valid_from, programme.valid_from),
        valid_until=min(ends),
        left=row.left,
        today=day_at(programme.region, now),
    )
