"""Load the figures with which the home page of each role begins."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import TruncWeek

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Membership, Organisation, Region, RoleGrant, Seal
from accounts.selectors.memberships import WHOLE
from accounts.selectors.seals import seals
from bookings.audit.models import AuditException, AuditFinding, AuditRun
from bookings.audit.selectors.audit import exceptions_for, findings_for, findings_in
from bookings.audit.selectors.hits import last_run
from bookings.bank.selectors.received import Received, load_received
from bookings.catalogue.selectors.calendars import at_present
from bookings.charging.selectors.recoding import charges_without_source
from bookings.charging.selectors.waiting import charges_to_bill
from bookings.funding.selectors.funding_sources import in_state, sources_for
from bookings.funding.selectors.programmes import load_figures, programmes_for
from bookings.funding.selectors.spending import load_spending
from bookings.hours.domain.hours import StateMinutes, ratios
from bookings.hours.selectors.reading import KEPT_SECONDS, ROLLED_UP
from bookings.journal.selectors.unclosed import Unclosed, load_unclosed
from bookings.pricing.selectors.charges import charges_for, monthly_totals
from bookings.pricing.selectors.sides import OWED
from bookings.record.domain.months import month_after, month_before
from bookings.results.selectors.handoffs import hand_offs_for, to_collect
from bookings.samples.selectors.samples import owned_samples, under_way
from bookings.settlement.models import Settlement
from bookings.settlement.selectors.ageing import OWED as OPEN_TO_US
from bookings.settlement.selectors.ageing import OpenSum, load_open_sums
from bookings.settlement.selectors.settlements import creditor_of, net_of, settlements_for
from bookings.statistics.selectors.demand import demand_minutes
from bookings.statistics.selectors.flows import flows
from bookings.statistics.selectors.tables import TableQuery, figures_of
from instruments.reading.domain.clock import day_span, local_date
from instruments.register.models import Instrument

MONTH = timedelta(days=30)
WEEKS = 8  # of the chart, the present one included
type Sums = dict[str, Decimal]  # amounts by currency


@dataclass(frozen=True)
class Span:
    """The hours of the days [since, until) at the instruments whose hours the reader reads."""

    since: date
    until: date
    minutes: StateMinutes
    most: int = 0  # the open minutes of the longest of the spans beside it

    @property
    def used(self) -> str | None:
        """Return the share of the open time that was used, as the pages of hours compute it."""
        return ratios(self.minutes)["operational_utilisation"]

    @property
    def open_height(self) -> int:
        """Return the height of the bar of the open time, in percent of the chart."""
        return round(100 * self.minutes.operations / self.most) if self.most else 0

    @property
    def used_height(self) -> int:
        return round(100 * self.minutes.productive / self.most) if self.most else 0


@dataclass(frozen=True)
class Hosted:
    """The standing of the instruments that somebody manages. `organisation` is the code of the only
    organisation they manage (empty: there are several, and hours are of all that they read). `weeks` end with
    the one that yesterday is in, `months` are the one that yesterday is in and the one before; `present`:
    instruments that are idle, in use or down now; `earned`: final charges to others by currency, in this
    month and in the one before."""

    organisation: str
    weeks: Sequence[Span]
    months: tuple[Span, Span]
    present: Counter[str]
    month: date
    before: date
    earned: dict[str, list[Decimal]]
    is_charged: bool  # the month has charges of some side

    @property
    def week(self) -> Span:
        return self.weeks[-1]


def load_hosted(actor: Actor, now: datetime, today: date) -> Hosted:
    """Return the figures of the instruments that the actor manages. Two statements; some more for the hours,
    which are kept until the next roll-up."""
    hosts = actor.organisations_where("manage-instruments")
    month, before = today.replace(day=1), month_before(today)
    yesterday = today - timedelta(days=1)
    code, days = _kept_days(actor, yesterday)
    charges = charges_for(actor).filter(month__in=[before, month])
    if code:
        charges = charges.filter(host__in=hosts)
    totals = monthly_totals(charges, actor)
    earned: dict[str, list[Decimal]] = {}
    for at, each in enumerate((month, before)):
        for one in totals.get(each, []):
            if one.side == OWED:
                earned.setdefault(one.currency, [Decimal(0), Decimal(0)])[at] += one.total
    hosted: QuerySet[Any] = at_present(actor, now)
    present = hosted.order_by().values("present").annotate(number=Count("pk"))
    return Hosted(
        organisation=code,
        weeks=_weeks(days, yesterday),
        months=(
            _span(days, yesterday.replace(day=1), month_after(yesterday)),
            _span(days, month_before(yesterday), yesterday.replace(day=1)),
        ),
        present=Counter({row["present"]: row["number"] for row in present}),
        month=month,
        before=before,
        earned=dict(sorted(earned.items())),
        is_charged=month in totals,
    )


def _weeks(days: dict[date, StateMinutes], yesterday: date) -> list[Span]:
    monday = yesterday - timedelta(days=yesterday.weekday())
    begins = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    spans = [_span(days, since, since + timedelta(days=7)) for since in begins]
    most = max(span.minutes.operations for span in spans)
    return [Span(span.since, span.until, span.minutes, most) for span in spans]


def _span(days: dict[date, StateMinutes], since: date, until: date) -> Span:
    within = (minutes for day, minutes in days.items() if since <= day < until)
    return Span(since, until, sum(within, StateMinutes()))


def _kept_days(actor: Actor, yesterday: date) -> tuple[str, dict[date, StateMinutes]]:
    """Return the code of the only organisation that the actor manages, and the hours of each day that the
    figures need: of that organisation, or of all whose hours the actor reads. They are kept until the next
    roll-up, a few minutes at most."""
    hosts = actor.organisations_where("manage-instruments")
    mark = cache.get_or_set(ROLLED_UP, lambda: uuid4().hex, None)
    read = repr((sorted(actor.grants, key=repr), yesterday))
    key = f"home-hours:{mark}:{sha256(read.encode()).hexdigest()}"
    found: tuple[str, dict[date, StateMinutes]] | None = cache.get(key)
    if found is None:
        codes = list(Organisation.objects.filter(pk__in=hosts).values_list("code", flat=True)[:2])
        code = codes[0] if len(codes) == 1 else ""
        query = TableQuery(
            since=min(month_before(yesterday, 2), yesterday - timedelta(days=7 * WEEKS)),
            until=yesterday + timedelta(days=1),
            narrowed={"organisation": code} if code else {},
            by=("day",),
        )
        rows = figures_of(actor, query, needs_total=False).rows
        found = code, {row.period: row.minutes for row in rows}
        cache.set(key, found, KEPT_SECONDS)
    return found


@dataclass(frozen=True)
class Booked:
    """The standing of somebody who books: samples that are under way, results to collect; by currency what
    vouchers and funding sources with a budget have left; what bookings of this month have cost, and those of
    the month before."""

    samples: int
    results: int
    vouchers: Sums
    funding: Sums
    unlimited: int
    month: date
    before: date
    spent: dict[str, list[Decimal]]


def load_booked(actor: Actor, now: datetime, vouchers: Sums) -> Booked:
    """Return the figures of the actor's own bookings. Five statements."""
    zone = ZoneInfo(actor.time_zone)
    month = local_date(zone, now).replace(day=1)
    before = month_before(month)
    samples = under_way(owned_samples(actor)).order_by().values(what=Value("samples"))
    results = to_collect(hand_offs_for(actor), actor).order_by().values(what=Value("results"))
    each = (rows.annotate(number=Count("pk")).values_list("what", "number") for rows in (samples, results))
    counted = Counter(dict(next(each).union(next(each), all=True)))
    funding: Sums = defaultdict(Decimal)
    unlimited = 0
    for source in in_state(sources_for(actor), "valid", now):
        if source.left is None:
            unlimited += 1
        else:
            funding[source.currency] += source.left
    spent: dict[str, list[Decimal]] = {}
    for one in load_spending(actor.person, zone, now):
        if one.has_cost and one.month in (month, before):
            sums = spent.setdefault(one.currency, [Decimal(0), Decimal(0)])
            sums[one.month == before] += one.has_cost
    return Booked(
        samples=counted["samples"],
        results=counted["results"],
        vouchers=vouchers,
        funding=dict(sorted(funding.items())),
        unlimited=unlimited,
        month=month,
        before=before,
        spent=dict(sorted(spent.items())),
    )


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
class FoundWeek:
    """The exceptions that happened in a week that begins on `since`, and how many of them nobody has decided.
    `most`: the exceptions of the week that has most."""

    since: date
    number: int
    undecided: int
    most: int

    @property
    def until(self) -> date:
        """Return the last day of the week."""
        return self.since + timedelta(days=6)

    @property
    def height(self) -> int:
        """Return the height of the bar of all of them, in percent of the chart."""
        return round(100 * self.number / self.most) if self.most else 0

    @property
    def undecided_height(self) -> int:
        return round(100 * self.undecided / self.most) if self.most else 0


@dataclass(frozen=True)
class Audited:
    """The work of an auditor: open exceptions, their highest risk, and by currency how many of them have an
    amount, with its sum; how many happened in the thirty days [`since`, today] and in
    the thirty before, findings that are not closed, when the oldest of them was raised, and those overdue,
    with the day on which the first was due; the last seal, the last run of the rules, and the hours used in
    the regions in the last whole month and in the one before. `weeks` end with the present one."""

    open: int
    highest: int | None
    amounts: Sequence[tuple[str, int, Decimal]]
    reviewed: int
    new: int
    before: int
    since: date
    findings: int
    oldest: datetime | None
    overdue: int
    first_due: date | None
    severe: int
    seal: Seal | None
    run: AuditRun | None
    weeks: Sequence[FoundWeek]
    months: tuple[Span, Span]


def load_audited(actor: Actor, now: datetime) -> Audited:
    """Return the figures of an auditor's work: exceptions, findings, the last seal and the last run. Six
    statements; some more for the hours, which are kept until the next roll-up."""
    zone = ZoneInfo(actor.time_zone)
    today = local_date(zone, now)
    since = today - timedelta(days=MONTH.days - 1)
    first, second = (day_span(zone, day)[0] for day in (since, since - MONTH))
    state = AuditException.State
    by_currency = list(
        exceptions_for(actor)
        .order_by("currency")
        .values("currency")
        .annotate(
            open=Count("pk", Q(state=state.OPEN)),
            reviewed=Count("pk", Q(state=state.REVIEW)),
            new=Count("pk", Q(happened_at__gte=first, happened_at__lt=day_span(zone, today)[1])),
            before=Count("pk", Q(happened_at__gte=second, happened_at__lt=first)),
            highest=Max("risk", filter=Q(state=state.OPEN)),
            amounts=Count("amount", filter=Q(state=state.OPEN)),
            sum=Sum("amount", filter=Q(state=state.OPEN)),
        )
    )
    counted = {
        name: sum(each[name] for each in by_currency) for name in ("open", "reviewed", "new", "before")
    }
    findings = findings_in(findings_for(actor), "unclosed", now).order_by()
    serious = [AuditFinding.Severity.HIGH, AuditFinding.Severity.CRITICAL]
    unclosed = findings.aggregate(
        all=Count("pk"), severe=Count("pk", Q(severity__in=serious)), oldest=Min("raised_at")
    )
    overdue = findings_in(findings_for(actor), "overdue", now).order_by()
    late = overdue.aggregate(number=Count("pk"), first=Min("due_date"))
    days = _kept_days(actor, today - timedelta(days=1))[1]
    month = month_before(today)
    return Audited(
        **counted,
        highest=max((each["highest"] for each in by_currency if each["highest"] is not None), default=None),
        amounts=[(each["currency"], each["amounts"], each["sum"]) for each in by_currency if each["amounts"]],
        since=since,
        findings=unclosed["all"],
        oldest=unclosed["oldest"],
        severe=unclosed["severe"],
        overdue=late["number"],
        first_due=late["first"],
        seal=seals().first(),
        run=last_run(),
        weeks=_found_weeks(actor, zone, today),
        months=(_span(days, month, today.replace(day=1)), _span(days, month_before(month), month)),
    )


def _found_weeks(actor: Actor, zone: ZoneInfo, today: date) -> list[FoundWeek]:
    """Return the exceptions of the last weeks, by the days of the reader. One statement."""
    monday = today - timedelta(days=today.weekday())
    begins = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    undecided = Q(state__in=[AuditException.State.OPEN, AuditException.State.REVIEW])
    rows = (
        exceptions_for(actor)
        .filter(happened_at__gte=day_span(zone, begins[0])[0])
        .order_by()
        .values(week=TruncWeek("happened_at", tzinfo=zone, output_field=DateField()))
        .annotate(number=Count("pk"), undecided=Count("pk", undecided))
    )
    found = {row["week"]: (row["number"], row["undecided"]) for row in rows}
    most = max((found.get(day, (0, 0))[0] for day in begins), default=0)
    return [FoundWeek(day, *found.get(day, (0, 0)), most) for day in begins]


class Unbilled(NamedTuple):
    """Final charges in a currency that no statement bills yet; those within one organisation are apart."""

    currency: str
    is_internal: bool
    number: int
    amount: Decimal


@dataclass(frozen=True)
class Accounted:
    """The books of organisations: what is open on each side, by currency; what others paid in this month and
    in the one before; final charges that no statement bills yet, by currency, with their number; how many
    charges that are not final have no funding source; and the organisations with months not closed in the
    journal."""

    owed: Sequence[OpenSum]
    owing: Sequence[OpenSum]
    month: date
    before: date
    received: Sequence[Received]
    unbilled: Sequence[Unbilled]
    unfunded: int
    unclosed: Sequence[Unclosed]

    @property
    def sides(self) -> list[OpenSum]:
        """Return the rows of the chart, one for each side and currency."""
        return [*self.owed, *self.owing]

    @property
    def late(self) -> list[OpenSum]:
        return [one for one in self.owed if one.late]

    @property
    def keeps_several(self) -> bool:
        """Say whether the months to close are those of several organisations."""
        return len({one.organisation for one in self.unclosed}) > 1

    @property
    def unclosed_number(self) -> int:
        return sum(one.number for one in self.unclosed)

    @property
    def unbilled_number(self) -> int:
        return sum(one.number for one in self.unbilled)


def load_accounted(actor: Actor, now: datetime, today: date) -> Accounted:
    """Return the figures of the books that the actor keeps. Seven statements."""
    sums = load_open_sums(actor, now)
    month = today.replace(day=1)
    is_internal = ExpressionWrapper(Q(organisation=F("host")), BooleanField())
    of_each = charges_to_bill(actor, now).annotate(is_internal=is_internal).values("currency", "is_internal")
    unbilled = of_each.annotate(number=Count("pk"), amount=Sum("payable")).order_by("currency", "is_internal")
    return Accounted(
        owed=[one for one in sums if one.side == OPEN_TO_US],
        owing=[one for one in sums if one.side != OPEN_TO_US],
        month=month,
        before=month_before(month),
        received=load_received(actor, month),
        unbilled=[Unbilled(**row) for row in unbilled],
        unfunded=charges_without_source(actor, now).count(),
        unclosed=load_unclosed(actor, now),
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
    managed = RoleGrant.objects.filter(WHOLE, role=MANAGER, revoked_at=None, user__is_active=True)
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
