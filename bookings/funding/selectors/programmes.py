"""Voucher programmes and grants as people see them: what is granted, held, redeemed, left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from accounts.selectors.organisations import organisations
from accounts.selectors.rows import visible
from bookings.funding.domain.programmes import grant_state, programme_state
from bookings.funding.models import Earmark
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.domain.money import format_number
from bookings.record.models import Reservation
from bookings.record.selectors.lists import FLAG, ID, Column, Filter, Listing, amount_of
from bookings.record.selectors.reservations import visible_to
from instruments.reading.domain.clock import local_date

ZERO = Decimal(0)


@dataclass(frozen=True)
class Figures:
    """Figures of a grant, or of all grants of a programme, in its currency. `granted` is their sum; of this
    `held` is reserved for bookings made, `redeemed` was charged, `transferred` moved to the organisation this
    one was merged into; the rest is left."""

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
    """Return a programme; raise `NotFound` if the actor may not see it."""
    return visible(programmes_for(actor), pk=programme_id)


def load_figures(programmes: Iterable[VoucherProgramme]) -> dict[UUID, Figures]:
    """Return the figures of programmes. One statement."""
    ids = [programme.pk for programme in programmes]
    rows = (
        VoucherGrant.objects.filter(programme__in=ids)
        .values("programme_id")
        .annotate(
            # Money transferred to another grant counts there.
            all_amount=Sum(F("amount") - F("transferred")),
            all_held=Sum("held"),
            all_redeemed=Sum("redeemed"),
            number=Count("pk"),
        )
        .order_by()
    )
    figures = {
        row["programme_id"]: Figures(row["all_amount"], row["all_held"], row["all_redeemed"], row["number"])
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
    """Return the grants of the actor's organisations, those that expire latest first."""
    rows = VoucherGrant.objects.filter(organisation__in=sorted(actor.own_organisations))
    return rows.select_related("programme__region", "organisation").order_by("-valid_until", "code")


def open_grants(actor: Actor, now: datetime) -> list[VoucherGrant]:
    """Return the grants of the actor's organisations that can be used now, those that expire latest first.
    One statement."""
    recent = own_grants(actor).filter(valid_until__gt=(now - timedelta(days=2)).date())
    return [row for row in recent if state_of_grant(row, now) == "open"]


def left_in(grants: Iterable[VoucherGrant]) -> dict[str, Decimal]:
    """Return what grants (loaded with their programmes) have left, by currency."""
    left: dict[str, Decimal] = {}
    for row in grants:
        left[row.programme.currency] = left.get(row.programme.currency, ZERO) + row.left
    return dict(sorted(left.items()))


def grant_by_id(actor: Actor, grant_id: UUID) -> VoucherGrant:
    """Return a grant with programme and organisation; raise `NotFound` if the actor may not see it."""
    return visible(grants_for(actor), pk=grant_id)


def uses_of(actor: Actor, grants: QuerySet[VoucherGrant] | VoucherGrant) -> QuerySet[Earmark]:
    """Return the amounts of some grants that are or were reserved for bookings, with the charges made, the
    newest first. The programme's coordinator sees all of them; others those whose booking they may see.
    Amounts released in full are left out."""
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
    """Return the organisations that may be given a grant of a programme, by name."""
    rows = organisations().filter(region_id=programme.region_id, closed_at=None)
    if programme.payer_kinds:
        rows = rows.filter(kind__in=programme.payer_kinds)
    if programme.is_for_small_only:
        rows = rows.filter(Q(is_small=True) | ~Q(kind=Organisation.Kind.ENTERPRISE))
    return list(rows.order_by("name"))


def host_regions_of(programmes: Iterable[VoucherProgramme]) -> dict[UUID, list[Region]]:
    """Return the regions where vouchers of each programme may be used; an empty list means everywhere. At
    most one statement."""
    rows = list(programmes)
    ids = {pk for row in rows for pk in row.host_regions}
    known = Region.objects.in_bulk(ids) if ids else {}
    return {
        row.pk: sorted((known[pk] for pk in row.host_regions if pk in known), key=lambda r: r.code)
        for row in rows
    }


def day_at(region: Region, now: datetime) -> date:
    """Return the day that it is in a region at a moment."""
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


def with_figures(rows: list[Any]) -> list[Any]:
    """Complete programmes with their `figures`. One statement."""
    figures = load_figures(rows)
    for row in rows:
        row.figures = figures[row.pk]
    return rows


PROGRAMMES = Listing(
    "programmes",
    programmes_for,
    (
        Column("programme", "pk"),
        Column("code", "code"),
        Column("name", "name", _("Programme")),
        Column("region", "region.code"),
        Column("percent", lambda row, by: format_number(row.percent)),
        Column("valid_from", "valid_from", _("Days")),
        Column("valid_until", "valid_until"),
        Column("state", lambda row, by: state_of_programme(row, by.now), _("State")),
        Column("currency", "currency"),
        Column("budget", amount_of("budget"), _("Budget"), kind="end"),
        Column("grants", "figures.grants"),
        Column("granted", amount_of("figures.granted"), _("Granted"), kind="end"),
        Column("held", amount_of("figures.held"), _("Reserved for bookings"), kind="end"),
        Column("redeemed", amount_of("figures.redeemed"), _("Redeemed"), kind="end"),
        Column("left", amount_of("figures.left"), _("Left"), kind="end"),
    ),
    filters=(Filter("region", "region__code", help="Its code."),),
    completed=with_figures,
)
GRANTS = Listing(
    "grants",
    grants_for,
    (
        Column("grant", "pk"),
        Column("code", "code"),
        Column("programme", "programme.code"),
        Column("organisation", "organisation.code", _("Organisation"), "organisation__name"),
        Column("organisation_name", "organisation.name"),
        Column("valid_from", "valid_from"),
        Column("valid_until", "valid_until", sort="valid_until"),
        Column("state", lambda row, by: state_of_grant(row, by.now), _("State")),
        Column("currency", "programme.currency"),
        Column("granted", amount_of("amount", "programme.currency"), _("Granted"), "amount", "end"),
        Column("held", amount_of("held", "programme.currency"), _("Reserved for bookings"), "held", "end"),
        Column("redeemed", amount_of("redeemed", "programme.currency"), _("Redeemed"), "redeemed", "end"),
        Column("transferred", amount_of("transferred", "programme.currency")),
        Column("left", amount_of("left", "programme.currency"), _("Left"), kind="end"),
    ),
    words=("code", "organisation__name", "organisation__name_zh", "organisation__code"),
    q_help="Any part of its code, or of the name or code of its organisation.",
    filters=(
        Filter("programme", "programme_id", ID),
        Filter("organisation", "organisation__code", help="Its code."),
        Filter(
            "mine",
            lambda rows, _, by: rows.filter(organisation__in=sorted(by.actor.own_organisations)),
            FLAG,
            help="Only those of your organisations.",
        ),
    ),
)


def programmes_granting(organisation: Organisation) -> QuerySet[VoucherProgramme]:
    """Return the programmes of which an organisation has grants."""
    grants = VoucherGrant.objects.filter(organisation=organisation)
    return VoucherProgramme.objects.filter(pk__in=grants.values("programme_id")).order_by("pk")
