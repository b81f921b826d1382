"""Settlements between regions: those to be drawn up, and those that each person may see."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Abs
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Refused
from accounts.domain.roles import Actor, By, Place
from accounts.models import Region
from accounts.selectors.memberships import no_second
from accounts.selectors.rows import among, visible
from bookings.pricing.models import ClosedMonth
from bookings.record.domain.months import month_before
from bookings.record.selectors.lists import MONTH, Column, Filter, Listing, amount_cell, month_cell
from bookings.settlement.domain.balances import Balance, Settled, balances
from bookings.settlement.domain.statements import OVERDUE, day_of, is_overdue, settlement_reference
from bookings.settlement.models import Payment, Settlement, SettlementLine
from bookings.settlement.selectors.numbers import printed_reference

# Pairs of regions whose vouchers paid at the other in a month, once no host of either has the month still
# open; use without vouchers leaves nothing to settle. A host also belongs to the regions that it, or one
# merged into it, has left, since bookings keep the regions they were made with. The first is the one whose
# code comes first.
_PAIRS = """
WITH hosts AS (
    SELECT o.id, o.absorbed FROM accounts_organisation o
    WHERE EXISTS (SELECT FROM bookings_charge c WHERE c.host_id = o.id)
    AND NOT EXISTS (
        SELECT FROM bookings_closedmonth k WHERE k.host_id = o.id AND k.month = %(month)s
    )
), still_open AS (
    SELECT o.region_id FROM hosts h
    JOIN accounts_organisation o ON o.id = h.id OR o.id = ANY(h.absorbed)
    UNION
    SELECT m.from_region_id FROM hosts h
    JOIN accounts_organisationmove m ON m.organisation_id = h.id
        OR m.organisation_id = ANY(h.absorbed)
    WHERE m.carried_out_at IS NOT NULL
), used AS (
    SELECT c.payer_region_id, c.host_region_id, c.currency, sum(c.covered) AS covered
    FROM bookings_closedmonth k
    JOIN bookings_charge c ON c.host_id = k.host_id AND c.month = k.month
    WHERE k.month = %(month)s AND c.payer_region_id <> c.host_region_id
    GROUP BY 1, 2, 3
), sides AS (
    SELECT u.*, (p.code COLLATE "C", p.id) < (h.code COLLATE "C", h.id) AS payer_is_first
    FROM used u
    JOIN accounts_region p ON p.id = u.payer_region_id
    JOIN accounts_region h ON h.id = u.host_region_id
)
SELECT
    CASE WHEN payer_is_first THEN payer_region_id ELSE host_region_id END AS first,
    CASE WHEN payer_is_first THEN host_region_id ELSE payer_region_id END AS second,
    currency,
    coalesce(sum(covered) FILTER (WHERE payer_is_first), 0),
    coalesce(sum(covered) FILTER (WHERE NOT payer_is_first), 0)
FROM sides
WHERE payer_region_id NOT IN (SELECT region_id FROM still_open)
AND host_region_id NOT IN (SELECT region_id FROM still_open)
AND NOT EXISTS (
    SELECT FROM bookings_settlement s
    WHERE s.month = %(month)s AND s.currency = sides.currency AND s.first_id IN
        (payer_region_id, host_region_id) AND s.second_id IN (payer_region_id, host_region_id)
)
GROUP BY 1, 2, 3
HAVING sum(covered) FILTER (WHERE payer_is_first) <> 0
OR sum(covered) FILTER (WHERE NOT payer_is_first) <> 0
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class DuePair:
    """The amounts that two regions owe each other for vouchers of a month in one currency."""

    first_id: UUID
    second_id: UUID
    currency: str
    first_owes: Decimal
    second_owes: Decimal


def load_due_pairs(month: date) -> list[DuePair]:
    """Return the pairs of regions whose voucher charges of a month are complete and for which no settlement
    is drawn up yet. One statement, however many charges."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"month": month})
        return [DuePair(*row) for row in cursor.fetchall()]


MONTHS_BACK = 24


def closed_months(now: datetime) -> list[date]:
    """Return the months of the last two years that some host has closed, the oldest first."""
    since = month_before(now.date(), MONTHS_BACK)
    rows = ClosedMonth.objects.filter(month__gte=since).values_list("month", flat=True)
    return sorted(set(rows.distinct()))


# What somebody may see


def settlements_for(actor: Actor) -> QuerySet[Settlement]:
    """Return the settlements of a coordinator's or an auditor's regions, the newest first."""
    regions = [*actor.regions_where("coordinate"), *actor.regions_where("read-money")]
    return (
        Settlement.objects.filter(Q(first__lineage__overlap=regions) | Q(second__lineage__overlap=regions))
        .select_related("first", "second", "first_confirmed_by", "second_confirmed_by")
        .order_by("-drawn_up_at", "-id")
    )


def settlements_with_amounts(actor: Actor) -> QuerySet[Settlement]:
    """Return the settlements that the actor may see and in which a region owes something. Those in which
    neither does were drawn up by earlier versions."""
    return settlements_for(actor).exclude(first_owes=0, second_owes=0)


def settled_years(actor: Actor) -> list[int]:
    """Return the years of these settlements, the newest first."""
    months = settlements_with_amounts(actor).order_by().values_list("month", flat=True).distinct()
    return sorted({month.year for month in months}, reverse=True)


@dataclass(frozen=True)
class YearBalance:
    """The balance of two regions for the settlements of a year in one currency."""

    first: Region
    second: Region
    sums: Balance

    @property
    def net(self) -> Decimal:
        """Return by how much one region owed more than the other over the year."""
        return abs(self.sums.net)

    @property
    def sides(self) -> list[tuple[Region, Region, Decimal, Decimal, Decimal, Decimal]]:
        """Return for each region the other one, what it owed for vouchers used there, what of this was netted
        within the months, what it paid, and what it has still to pay by the settlements in which it owes
        more."""
        sums = self.sums
        return [
            (self.first, self.second, sums.first_owes, sums.netted, sums.paid_by_first, sums.open_by_first),
            (
                self.second,
                self.first,
                sums.second_owes,
                sums.netted,
                sums.paid_by_second,
                sums.open_by_second,
            ),
        ]

    @property
    def search(self) -> str:
        """Return the words that find these settlements in their list."""
        return f"{self.first.code}-{self.second.code}-"

    @property
    def currency(self) -> str:
        return self.sums.currency

    @property
    def pair(self) -> str:
        """Return the codes of the two regions, as the list of postings is narrowed by them."""
        return f"{self.first.code},{self.second.code}"

    @property
    def debtor(self) -> Region | None:
        """Return the region that owed more over the year; None if both owed the same."""
        if not self.sums.net:
            return None
        return self.first if self.sums.net > 0 else self.second

    @property
    def creditor(self) -> Region | None:
        """Return the region that owed less over the year; None if both owed the same."""
        if not self.sums.net:
            return None
        return self.second if self.sums.net > 0 else self.first


def load_balances(actor: Actor, year: int) -> list[YearBalance]:
    """Return what the regions whose settlements the actor may see owed each other in a year, by their codes
    and currency. One statement."""
    rows = list(settlements_with_amounts(actor).filter(month__year=year).order_by())
    regions = {region.code: region for row in rows for region in (row.first, row.second)}
    settled = (
        Settled(
            row.first.code,
            row.second.code,
            row.currency,
            row.first_owes,
            row.second_owes,
            row.paid,
            row.state,
        )
        for row in rows
    )
    return [YearBalance(regions[one.first], regions[one.second], one) for one in balances(settled)]


def settlement_by_id(actor: Actor, settlement_id: UUID) -> Settlement:
    """Return a settlement; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(settlements_for(actor), pk=settlement_id)


def place_of_region(region: Region) -> Place:
    """Return a region as a place for checking permissions."""
    return Place(None, frozenset(region.lineage))


def sides_of(actor: Actor, settlement: Settlement) -> list[str]:
    """Return the sides of a settlement that the actor coordinates: `first`, `second`."""
    return [
        side
        for side in ("first", "second")
        if actor.may("coordinate", place_of_region(getattr(settlement, side)))
    ]


def no_second_for(row: Settlement, side: str) -> Refused | None:
    """Return a refusal if a side has not confirmed and nobody can: it has no coordinator, or only the one who
    confirmed for the other side."""
    if getattr(row, f"{side}_confirmed_at") is not None:
        return None
    confirmed = [row.first_confirmed_by_id, row.second_confirmed_by_id]
    return no_second("coordinate", region=getattr(row, side), besides=confirmed)


def net_of(settlement: Settlement) -> Decimal:
    """Return what a settlement leaves to pay for the region that owes more; never below 0."""
    net: Decimal = abs(settlement.first_owes - settlement.second_owes)
    return net


def debtor_of(settlement: Settlement) -> Region:
    """Return the region that owes more by a settlement; the first if nothing is owed."""
    if settlement.second_owes > settlement.first_owes:
        return settlement.second
    return settlement.first


def creditor_of(settlement: Settlement) -> Region:
    """Return the region to which a settlement leaves something to be paid."""
    is_first = debtor_of(settlement) == settlement.first
    return settlement.second if is_first else settlement.first


def shown_state(settlement: Settlement, now: datetime) -> str:
    """Return the state of a settlement, which is `overdue` by the local day of the region that is owed."""
    today = day_of(now, creditor_of(settlement).time_zone)
    late = is_overdue(settlement.state, net_of(settlement), settlement.due_date, today)
    return OVERDUE if late else settlement.state


def use_of(settlement: Settlement) -> QuerySet[SettlementLine]:
    """Return the use that a settlement lists by organisation, not netted: by the payer's region, payer and
    host."""
    return settlement.lines.select_related("host__region", "payer__region").order_by(
        "payer__region__code", "payer__code", "host__code"
    )


def settlements_to_confirm(actor: Actor, now: datetime) -> QuerySet[Settlement]:
    """Return the settlements that the actor can confirm for a side that has not confirmed yet."""
    above = list(actor.regions_where("coordinate"))
    open_to = Q()
    for side in ("first", "second"):
        open_to |= Q(**{f"{side}__lineage__overlap": above, f"{side}_confirmed_at": None})
    # In SQL, a null is not known to differ from the actor.
    return (
        settlements_for(actor)
        .filter(open_to)
        .filter(
            Q(first_confirmed_by=None) | ~Q(first_confirmed_by_id=actor.person),
            Q(second_confirmed_by=None) | ~Q(second_confirmed_by_id=actor.person),
        )
    )


def _reference(row: Settlement, by: By) -> str:
    return settlement_reference(row.first.code, row.second.code, row.month, row.currency)


def _of_region(rows: QuerySet[Settlement], code: str, by: By) -> QuerySet[Settlement]:
    named = list(Region.objects.filter(code=code).values_list("pk", flat=True))
    return rows.filter(Q(first__lineage__overlap=named) | Q(second__lineage__overlap=named))


def _finds(rows: QuerySet[Any], text: str, by: By) -> Q:
    """Return the condition that a settlement has a payment of that reference."""
    seen = rows.order_by().values("pk")
    payments = Payment.objects.filter(settlement__in=seen, reference__icontains=text)
    return among("pk", payments.values("settlement"))


SETTLEMENTS = Listing(
    "settlements",
    settlements_with_amounts,
    (
        Column("settlement", _reference),
        Column("month", month_cell, _("Month"), "month"),
        Column("regions", label=_("Regions")),
        Column("first", "first.code"),
        Column("first_name", "first.name"),
        Column("second", "second.code"),
        Column("second_name", "second.name"),
        Column("state", lambda row, by: shown_state(row, by.now), _("State")),
        Column("debtor", lambda row, by: debtor_of(row).code if net_of(row) else "", _("Who pays")),
        Column("currency", "currency"),
        Column("net", lambda row, by: amount_cell(net_of(row), row.currency), _("Net"), kind="end"),
        Column("due", "due_date", _("Due"), "due_date"),
    ),
    waits={"confirm": settlements_to_confirm},
    waits_help="Only settlements that you may confirm for a region that has not confirmed them yet.",
    words=(
        "printed", "first__name", "first__name_zh", "second__name", "second__name_zh",
        "first_confirmed_by__name", "second_confirmed_by__name",
    ),
    amounts=("first_owes", "second_owes", "net_amount", "paid"),
    finds=_finds,
    aliases={"printed": printed_reference(), "net_amount": Abs(F("first_owes") - F("second_owes"))},
    filters=(
        Filter("region", _of_region, help="Code of one of the two regions, or of a region above it."),
        Filter("month", "month", MONTH, help="Year and month, such as `2026-03`."),
    ),
    q_help="Part of the settlement's reference, of a region's name, of the reference of a payment on it, or "
    "of the name of a person who confirmed it; or an amount.",
    day="month",
    copied=Q(),
)  # fmt: skip
