"""Load the figures with which the home pages of coordinators, auditors and administrators begin."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Case, Count, F, Q, Value, When

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Membership, Organisation, Region, RoleGrant, Seal
from accounts.selectors.seals import seals
from bookings.audit.models import AuditException, AuditFinding
from bookings.audit.selectors.audit import exceptions_for, findings_for, findings_in
from bookings.funding.selectors.programmes import load_figures, programmes_for
from bookings.record.domain.months import month_before
from bookings.settlement.models import Settlement
from bookings.settlement.selectors.settlements import creditor_of, net_of, settlements_for
from bookings.statistics.selectors.demand import demand_minutes
from bookings.statistics.selectors.flows import flows
from instruments.register.models import Instrument

MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Coordinated:
    """The standing of regions. In the last whole month: minutes used at their hosts by other regions and the
    reverse, and minutes of demand that nobody met. Now: what settlements leave to get (less than 0: to pay),
    by currency, how many they are, and what programmes that are not over or suspended have left of what they
    granted, by currency."""

    month: date
    until: date
    given: int
    taken: int
    unmet: int
    balance: dict[str, Decimal]
    unsettled: int
    vouchers: dict[str, tuple[Decimal, Decimal]]


def load_coordinated(actor: Actor, today: date) -> Coordinated:
    """Return the figures of the regions that the actor coordinates. Eight statements."""
    month, until = month_before(today), today.replace(day=1)
    held = actor.regions_where("coordinate")

    def own(region: Region) -> bool:
        return bool(held.intersection(region.lineage))

    cells = flows(actor, since=month, until=until, measure="hours").cells
    unmet = demand_minutes(actor, since=month, until=until)
    balance: dict[str, Decimal] = defaultdict(Decimal)
    unsettled = 0
    for row in settlements_for(actor).exclude(state=Settlement.State.PAID):
        left = net_of(row) - row.paid
        if left and own(row.first) != own(row.second):
            unsettled += 1
            balance[row.currency] += left if own(creditor_of(row)) else -left
    usable = programmes_for(actor).filter(Q(valid_until=None) | Q(valid_until__gt=today), suspended_at=None)
    programmes = [row for row in usable if own(row.region)]
    vouchers: dict[str, tuple[Decimal, Decimal]] = {}
    for programme_id, figures in load_figures(programmes).items():
        currency = next(row.currency for row in programmes if row.pk == programme_id)
        left, granted = vouchers.get(currency, (Decimal(0), Decimal(0)))
        vouchers[currency] = (left + figures.left, granted + figures.granted)
    return Coordinated(
        month,
        until,
        given=int(sum(c.value or 0 for c in cells if own(c.host) and not own(c.payer))),
        taken=int(sum(c.value or 0 for c in cells if own(c.payer) and not own(c.host))),
        unmet=unmet,
        balance={currency: left for currency, left in sorted(balance.items()) if left},
        unsettled=unsettled,
        vouchers={currency: both for currency, both in sorted(vouchers.items()) if both[1]},
    )


@dataclass(frozen=True)
class Audited:
    """The work of an auditor: open exceptions, how many were found in the last thirty days and in the
    thirty before, findings that are not closed and those overdue, and the last seal."""

    open: int
    reviewed: int
    new: int
    before: int
    findings: int
    overdue: int
    severe: int
    seal: Seal | None


def load_audited(actor: Actor, now: datetime) -> Audited:
    """Return the figures of an auditor's work: exceptions, findings and the last seal. Four statements."""
    state = AuditException.State
    counted = (
        exceptions_for(actor)
        .order_by()
        .aggregate(
            open=Count("pk", Q(state=state.OPEN)),
            reviewed=Count("pk", Q(state=state.REVIEW)),
            new=Count("pk", Q(found_at__gt=now - MONTH)),
            before=Count("pk", Q(found_at__gt=now - 2 * MONTH, found_at__lte=now - MONTH)),
        )
    )
    findings = findings_in(findings_for(actor), "unclosed", now).order_by()
    serious = [AuditFinding.Severity.HIGH, AuditFinding.Severity.CRITICAL]
    unclosed = findings.aggregate(all=Count("pk"), severe=Count("pk", Q(severity__in=serious)))
    return Audited(
        **counted,
        findings=unclosed["all"],
        severe=unclosed["severe"],
        overdue=findings_in(findings_for(actor), "overdue", now).count(),
        seal=seals().first(),
    )


@dataclass(frozen=True)
class Administered:
    """The contents of the platform: people who belong somewhere and those who came in the last thirty days
    and in the thirty before; open organisations and those that nobody manages; instruments by publication."""

    people: int
    new: int
    before: int
    organisations: int
    unmanaged: int
    instruments: Counter[str]


def load_administered(now: datetime) -> Administered:
    """Return how many people, organisations and instruments the platform has. One statement."""
    managed = RoleGrant.objects.filter(role=MANAGER, revoked_at=None, user__is_active=True)
    came = Case(
        When(user__created_at__gt=now - MONTH, then=Value("new")),
        When(user__created_at__gt=now - 2 * MONTH, then=Value("before")),
        default=Value("earlier"),
    )
    is_managed = When(pk__in=managed.values("organisation"), then=Value("managed"))
    counted = Counter(
        dict(
            Membership.objects.filter(ended_at=None, user__is_active=True)
            .order_by()
            .values(what=came)
            .annotate(number=Count("user", distinct=True))
            .values_list("what", "number")
            .union(
                Organisation.objects.filter(closed_at=None)
                .order_by()
                .values(what=Case(is_managed, default=Value("unmanaged")))
                .annotate(number=Count("pk"))
                .values_list("what", "number"),
                Instrument.objects.order_by()
                .values(what=F("publication"))
                .annotate(number=Count("pk"))
                .values_list("what", "number"),
                all=True,
            )
        )
    )
    return Administered(
        people=counted["new"] + counted["before"] + counted["earlier"],
        new=counted["new"],
        before=counted["before"],
        organisations=counted["managed"] + counted["unmanaged"],
        unmanaged=counted["unmanaged"],
        instruments=counted,
    )
