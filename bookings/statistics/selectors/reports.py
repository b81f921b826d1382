"""A year's report about an instrument, a facility, an organisation or a region, read for one person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Avg, Count, DateField, F, Func, Q, QuerySet, Sum
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils.text import slugify
from django.utils.translation import gettext, pgettext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, invalid
from accounts.domain.roles import Actor
from accounts.letters.words import named
from bookings.availability.messages import refused_by
from bookings.hours.domain.hours import definitions_on
from bookings.hours.domain.idle import COLUMNS
from bookings.hours.selectors.bookings import booking_figures
from bookings.hours.selectors.hours import HoursRow
from bookings.hours.selectors.reading import figures_for
from bookings.hours.selectors.scope import HoursScope, reads_hours, scope_for, scope_names
from bookings.pricing.models import Charge
from bookings.record.adapters.definitions import MEANINGS, NAMES
from bookings.record.domain.ratings import LEAST_ORGANISATIONS, LEAST_RATERS
from bookings.record.models import Reservation, SessionRating, UsageSession
from bookings.results.models import HandOff, ResultFile
from bookings.samples.models import BookedSample, SampleItem
from bookings.statistics.domain import reports as rules
from bookings.statistics.domain.reports import Cell, Head, Report, Section
from bookings.statistics.selectors.idle import idle_rows
from bookings.statistics.selectors.payers import payers
from instruments.opening.models import ScheduleAssignment
from instruments.policy.models import PolicyVersion
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.rates.models import RateCard
from instruments.register.models import Facility, Instrument
from instruments.training.models import CourseSession, Qualification
from instruments.training.selectors.fees import sessions_about

ABOUT = ("instrument", "facility", "organisation", "region")
MOST_LISTED = 100  # rows of a table that has one for each instrument, payer or change
MOST_IDLE = 200  # instruments


@dataclass(frozen=True)
class _Year:
    """The reader, the instruments, and the year as local days, which all sections need."""

    actor: Actor
    narrowed: Mapping[str, str]
    scope: HoursScope
    since: date
    until: date
    of_one: bool

    @property
    def earliest(self) -> datetime:
        return datetime(self.since.year, 1, 1, tzinfo=UTC) - timedelta(days=1)

    @property
    def latest(self) -> datetime:
        return datetime(self.until.year, 1, 1, tzinfo=UTC) + timedelta(days=1)

    def within(self, moment: str, zone: str) -> Q:
        """Return the condition that an instant lies in the year by the clock of its facility. It names the
        span of instants, too, so that an index is used."""
        local = Func(
            F(moment),
            F(zone),
            template="(%(expressions)s)::date",
            arg_joiner=" AT TIME ZONE ",
            output_field=DateField(),
        )
        span = Q(**{f"{moment}__gte": self.earliest, f"{moment}__lt": self.latest})
        return span & Q(GreaterThanOrEqual(local, self.since)) & Q(LessThan(local, self.until))

    def hours(self, by: Sequence[str], **changes: Any) -> list[HoursRow]:
        days: dict[str, Any] = {"since": self.since, "until": self.until} | changes
        return figures_for(self.actor, narrowed=self.narrowed, by=by, **days).rows


def report_about(actor: Actor, narrowed: Mapping[str, str], since: date, until: date) -> tuple[str, Any]:
    """Return what a report is about: its kind (one of `ABOUT`) and record.

    Raises `NotPermitted` for those who read only public figures, `Invalid` unless exactly one thing and one
    whole year are named, `NotFound` for what the person does not read the hours of as a whole: a region is
    read by its coordinators and auditors, not by one of its hosts.
    """
    if not reads_hours(actor):
        raise NotPermitted
    if len(narrowed) != 1 or not set(narrowed) <= set(ABOUT):
        raise invalid("about", "unknown-choice", allowed=", ".join(ABOUT))
    if rules.year_of(since, until) is None:
        raise invalid("from", "whole-year")
    (about,) = narrowed
    record = scope_names(actor, narrowed).get(about)
    if record is None or not reads_whole(actor, about, record):
        raise NotFound
    return about, record


def reads_whole(actor: Actor, about: str, record: Any, capability: str = "read-hours") -> bool:
    """Say whether a role lets the actor read all of a thing: of a region not by way of one of its hosts."""
    if actor.has("administrator") and capability == "read-hours":
        return True
    if about == "region":
        return bool(actor.regions_where(capability) & set(record.lineage))
    organisation = record if about == "organisation" else record.organisation
    is_within = bool(actor.regions_where(capability) & set(organisation.region.lineage))
    return is_within or organisation.pk in actor.organisations_where(capability)


def load_report(actor: Actor, narrowed: Mapping[str, str], since: date, until: date) -> Report:
    """Return the report of a year, in the current language: of its days that are over. Some eighty
    statements. Raises as `report_about`."""
    about, record = report_about(actor, narrowed, since, until)
    number = since.year
    year = _Year(actor, narrowed, scope_for(actor, narrowed), since, until, about == "instrument")
    host = record if about == "organisation" else getattr(record, "organisation", None)
    title = gettext("Report of the year {year}").format(year=number)
    labels = {
        "instrument": gettext("instrument"),
        "facility": gettext("facility"),
        "organisation": gettext("organisation"),
        "region": gettext("region"),
    }
    facts = [(labels[about].capitalize(), named(record))]
    if host is not None and host is not record:
        facts.append((gettext("Host"), named(host)))
    facts.append((gettext("Definitions"), definitions_on(until).name))
    makers: list[Callable[[_Year], Section | None]] = [
        _months, _instruments, _idle, _groups, _regions, _organisations, _samples,
    ]  # fmt: skip
    if reads_whole(actor, about, record, "read-money"):
        makers.append(_money)
    makers += [_results, _ratings, _qualifications, _outputs, _changes, _definitions]
    sections = [glance := _glance(year)]
    if rules.is_empty(glance):
        note = gettext("There are no hours, sessions or bookings of {year} about {name}.")
        note = note.format(year=number, name=named(record))
        sections = [Section("nothing", gettext("Nothing recorded"), notes=[note])]
        makers = [make for make in makers if make is _money]  # of courses: they have no hours
    made = [section for make in makers if (section := make(year)) is not None]
    if rules.is_empty(glance):
        sections += [section for section in made if section.rows]
    else:
        sections = rules.without_empty_tables([*sections, *made], gettext("Nothing in this year."))
    return Report(title, named(record), facts, sections, report_name(narrowed, number))


def report_name(narrowed: Mapping[str, str], number: int) -> str:
    """Return the name of a report's file, without ending: with the code of the organisation or region, the
    name of the facility or instrument where it can stand in a file name, and the year."""
    (about, key), *_ = narrowed.items()
    rows = {"facility": Facility.objects, "instrument": Instrument.objects}.get(about)
    found = rows.filter(pk=key).values_list("organisation__code", "name").first() if rows else None
    parts = (found[0], about, slugify(found[1])[:40].strip("-")) if found else (slugify(key) or about,)
    return "-".join(("report", *filter(None, parts), str(number)))


def _ratio(row: HoursRow, name: str) -> Decimal | None:
    value = row.ratios[name]
    return None if value is None else Decimal(value)


def _glance(year: _Year) -> Section:
    before = {"since": date(year.since.year - 1, 1, 1), "until": year.since}
    columns = []
    for changes in ({}, before):
        days: dict[str, Any] = {"since": year.since, "until": year.until} | changes
        total = next(iter(year.hours([], **changes)), None)
        bookings = booking_figures(year.scope, **days)
        columns.append(
            [
                *((total.minutes.productive, total.norm, _ratio(total, "norm_utilisation"),
                   total.minutes.operations, _ratio(total, "operational_utilisation"),
                   _ratio(total, "availability"), _ratio(total, "external_share"),
                   _ratio(total, "cross_region_share"), total.sessions, total.breakdowns)
                  if total else (None,) * 10),
                _people(year, **days),
                bookings.booked,
                bookings.lead_hours,
                bookings.not_used,
                bookings.cancelled_late,
            ]
        )  # fmt: skip
    labels = [
        (gettext("Effective hours"), rules.HOURS),
        (gettext("Norm for the days on offer"), rules.HOURS),
        (gettext("Share of the norm"), rules.PERCENT),
        (gettext("Operations time"), rules.HOURS),
        (gettext("Utilisation of open time"), rules.PERCENT),
        (gettext("Availability"), rules.PERCENT),
        (gettext("Share used by other organisations"), rules.PERCENT),
        (gettext("Share used by other regions"), rules.PERCENT),
        (gettext("Sessions"), rules.WHOLE),
        (gettext("Breakdowns"), rules.WHOLE),
        (gettext("Users"), rules.WHOLE),
        (gettext("Bookings"), rules.WHOLE),
        (gettext("Hours booked ahead, the median"), rules.DECIMAL),
        (gettext("Bookings that nobody used"), rules.WHOLE),
        (gettext("Bookings cancelled late"), rules.WHOLE),
    ]
    return Section(
        "glance",
        gettext("At a glance"),
        [
            Head(gettext("Figure")),
            Head(str(year.since.year), rules.WHOLE),
            Head(gettext("The year before"), rules.WHOLE),
        ],
        [
            (label, Cell(now, kind), Cell(then, kind))
            for (label, kind), now, then in zip(labels, *columns, strict=True)
        ],
        [gettext("Hours of days that are over, in each instrument's own time zone.")],
    )


def _people(year: _Year, since: date, until: date) -> int:
    other = _Year(year.actor, year.narrowed, year.scope, since, until, year.of_one)
    return int(_sessions(other).aggregate(n=Count("reservation__user_id", distinct=True))["n"])


def _sessions(year: _Year) -> QuerySet[UsageSession]:
    return UsageSession.objects.filter(
        year.within("checked_in_at", "instrument__facility__time_zone"),
        instrument__in=year.scope.instruments.order_by().values("pk"),
    )


def _months(year: _Year) -> Section:
    return Section(
        "months",
        gettext("Months"),
        [
            Head(gettext("Month")), Head(gettext("Effective hours"), rules.HOURS),
            Head(gettext("Norm"), rules.HOURS), Head(gettext("Share of the norm"), rules.PERCENT),
            Head(gettext("Standby"), rules.HOURS), Head(gettext("Down"), rules.HOURS),
            Head(gettext("Sessions"), rules.WHOLE),
        ],
        [
            (
                row.keys["month"], row.minutes.productive, row.norm, _ratio(row, "norm_utilisation"),
                row.minutes.standby, row.minutes.scheduled_down + row.minutes.unscheduled_down, row.sessions,
            )
            for row in year.hours(["month"])
        ],
    )  # fmt: skip


def _instruments(year: _Year) -> Section | None:
    if year.of_one:
        return None
    title = gettext("Instruments")
    try:
        found = year.hours(["instrument"])
    except Invalid:  # too many to add up while somebody waits; the other sections are not lost by it
        return Section("instruments", title, notes=[gettext("Not stated: there are too many instruments.")])
    rows = sorted(found, key=lambda row: (-row.minutes.productive, row.names["instrument"]))
    return Section(
        "instruments",
        title,
        [
            Head(gettext("Instrument")), Head(gettext("Effective hours"), rules.HOURS),
            Head(gettext("Share of the norm"), rules.PERCENT),
            Head(gettext("Utilisation of open time"), rules.PERCENT),
            Head(gettext("Other organisations"), rules.PERCENT), Head(gettext("Sessions"), rules.WHOLE),
        ],
        [
            (
                _name(row.names["instrument"]), row.minutes.productive, _ratio(row, "norm_utilisation"),
                _ratio(row, "operational_utilisation"), _ratio(row, "external_share"), row.sessions,
            )
            for row in rows[:MOST_LISTED]
        ],
        _left_out(len(rows)),
    )  # fmt: skip


def _name(names: tuple[str, str]) -> str:
    return named(_Named(*names))


@dataclass(frozen=True)
class _Named:
    name: str
    name_zh: str


def _left_out(number: int) -> list[str]:
    if number <= MOST_LISTED:
        return []
    return [gettext("The first {most} of {number}.").format(most=MOST_LISTED, number=f"{number:,}")]


def _idle(year: _Year) -> Section:
    title, heads = gettext("Why idle"), [Head(gettext("Reason")), Head(gettext("Hours"), rules.HOURS)]
    number = year.scope.instruments.count()
    if number > MOST_IDLE:
        note = gettext("Not stated for more than {most} instruments; see the page.").format(most=MOST_IDLE)
        return Section("idle", title, notes=[note])
    found = list(
        idle_rows(year.actor, narrowed=year.narrowed, since=year.since, until=year.until, most=MOST_IDLE)
    )
    codes: dict[str, int] = {}
    for row in found:
        for code, minutes in row.codes.items():
            codes[code] = codes.get(code, 0) + minutes
    rows: list[Sequence[Any]] = [
        (str(NAMES[column]), sum(row.reasons[name] for row in found)) for name, column in COLUMNS.items()
    ]
    rows.append((gettext("Standby in all"), sum(row.standby for row in found)))
    told = [f"{refused_by(code)} {rules.written(n, rules.HOURS)}" for code, n in sorted(codes.items())]
    notes = [gettext("Refused, by reason") + gettext(": ") + "; ".join(told)] if told else []
    return Section("idle", title, heads, rows, notes)


def _payers(year: _Year, by: str, code: str, title: str, head: str) -> Section:
    rows = payers(
        year.scope, since=year.since, until=year.until, by=[by], least=settings.PUBLIC_LEAST_ORGANISATIONS
    )
    whole = sum(row.minutes or 0 for row in rows)

    def name(row: Any) -> str:
        if by == "price_group":
            return str(PRICE_GROUP_LABELS[row.keys[by]])
        return _name(row.names[by]) or row.keys[by]

    return Section(
        code,
        title,
        [
            Head(head), Head(gettext("Effective hours"), rules.HOURS), Head(gettext("Share"), rules.PERCENT),
            Head(gettext("Sessions"), rules.WHOLE), Head(gettext("Organisations"), rules.WHOLE),
        ],
        [
            (
                name(row), row.minutes, Decimal(row.minutes or 0) / whole if whole else None, row.sessions,
                row.organisations,
            )
            for row in rows[:MOST_LISTED]
        ],
        _left_out(len(rows)),
    )  # fmt: skip


def _groups(year: _Year) -> Section:
    return _payers(year, "price_group", "users", gettext("Users by price group"), gettext("Price group"))


def _regions(year: _Year) -> Section:
    return _payers(year, "region", "regions", gettext("Regions of the users"), gettext("Region"))


def _organisations(year: _Year) -> Section:
    title, head = gettext("Organisations of the users"), gettext("Organisation")
    return _payers(year, "organisation", "organisations", title, head)


def _samples(year: _Year) -> Section:
    booked = BookedSample.objects.filter(
        year.within("reservation__start_at", "reservation__instrument__facility__time_zone"),
        reservation__instrument__in=year.scope.instruments.order_by().values("pk"),
    )
    counted = booked.order_by().values_list("sample__state").annotate(n=Count("sample", distinct=True))
    found = dict(counted)
    measured = _sessions(year).aggregate(n=Sum("samples"))["n"]
    rows: list[Sequence[Any]] = [
        (str(label), found[state]) for state, label in SampleItem.State.choices if state in found
    ]
    rows.append((gettext("Samples counted at check-out"), measured or 0))
    return Section(
        "samples", gettext("Samples"),
        [Head(gettext("State")), Head(pgettext("how many", "Number"), rules.WHOLE)],
        rows,
        [gettext("Samples announced for bookings of the year, by their present state.")],
    )  # fmt: skip


def _money(year: _Year) -> Section:
    instruments = year.scope.instruments.order_by().values("pk")
    final = Charge.objects.filter(final_at__isnull=False, month__gte=year.since, month__lt=year.until)
    # Each by itself, so that both are found by an index.
    booked = final.filter(reservation__instrument__in=instruments)
    courses = final.filter(enrolment__session__in=sessions_about(instruments))
    sums: dict[tuple[str, bool], list[Any]] = {}
    for currency, is_own, *numbers in (*_charged(booked), *_charged(courses)):
        before = sums.get((currency, is_own), [0] * len(numbers))
        sums[currency, is_own] = [a + b for a, b in zip(before, numbers, strict=True)]
    return Section(
        "money",
        gettext("Money"),
        [
            Head(gettext("Currency")), Head(gettext("Paid by")), Head(gettext("Charges"), rules.WHOLE),
            Head(gettext("Net"), rules.DECIMAL), Head(gettext("Tax"), rules.DECIMAL),
            Head(gettext("Total"), rules.DECIMAL), Head(gettext("Voucher"), rules.DECIMAL),
            Head(gettext("Payable"), rules.DECIMAL),
        ],
        [
            (currency, gettext("the host itself") if is_own else gettext("others"), *numbers)
            for (currency, is_own), numbers in sorted(sums.items())
        ],
        [gettext("Charges that became final in the months of the year, corrections and courses included.")],
    )  # fmt: skip


def _charged(charges: QuerySet[Charge]) -> Iterable[tuple[Any, ...]]:
    rows: QuerySet[Charge, tuple[Any, ...]] = (
        charges.order_by().annotate(is_own=Q(organisation=F("host")))
        .values_list("currency", "is_own")
        .annotate(
            n=Count("pk"), net=Sum(F("total") - F("tax")), tax=Sum("tax"), total=Sum("total"),
            covered=Sum("covered"), payable=Sum("payable"),
        )
        .order_by("currency", "is_own")
    )  # fmt: skip
    return rows


def _results(year: _Year) -> Section:
    handed = HandOff.objects.filter(
        year.within("released_at", "reservation__instrument__facility__time_zone"),
        reservation__instrument__in=year.scope.instruments.order_by().values("pk"),
    )
    numbers = handed.aggregate(
        n=Count("pk", distinct=True),
        late=Count("pk", filter=Q(released_at__gt=F("due_at")), distinct=True),
        collected=Count("pk", filter=Q(collected_at__isnull=False), distinct=True),
    )
    files = ResultFile.objects.filter(hand_off__in=handed.order_by().values("pk")).aggregate(
        number=Count("pk"), whole=Sum("size")
    )
    return Section(
        "results",
        gettext("Results"),
        [Head(gettext("Figure")), Head(pgettext("how many", "Number"), rules.WHOLE)],
        [
            (gettext("Results handed over"), numbers["n"]),
            (gettext("of which after the agreed day"), numbers["late"]),
            (gettext("of which collected"), numbers["collected"]),
            (gettext("Files"), files["number"]),
            (gettext("Bytes"), files["whole"] or 0),
        ],
    )


MARKS = ("usable", "support", "on_time", "price_as_quoted")


def _ratings(year: _Year) -> Section:
    rated = _sessions(year).filter(rating__isnull=False)
    behind = rated.aggregate(
        people=Count("reservation__user", distinct=True),
        organisations=Count("reservation__organisation", distinct=True),
    )
    title = gettext("Ratings")
    if behind["people"] < LEAST_RATERS or behind["organisations"] < LEAST_ORGANISATIONS:
        note = gettext("Hidden: fewer than {people} people of {organisations} organisations rated.")
        limits = {"people": LEAST_RATERS, "organisations": LEAST_ORGANISATIONS}
        return Section("ratings", title, notes=[note.format(**limits)])
    overall = rated.aggregate(n=Count("pk"), mean=Avg("rating"))
    marks = SessionRating.objects.filter(session__in=rated.order_by().values("pk"))
    labels = {
        "usable": gettext("Usable results"),
        "support": gettext("Support"),
        "on_time": gettext("On time"),
        "price_as_quoted": gettext("Price as quoted"),
    }
    payer = "session__reservation__organisation"
    given = {name: Q(**{f"{name}__isnull": False}) for name in MARKS}
    person = "session__reservation__user"
    means = marks.aggregate(
        **{f"{name}_n": Count(name) for name in MARKS},
        **{f"{name}_people": Count(person, filter=given[name], distinct=True) for name in MARKS},
        **{f"{name}_organisations": Count(payer, filter=given[name], distinct=True) for name in MARKS},
        **{name: Avg(name) for name in MARKS},
    )
    rows = [(gettext("Overall"), overall["n"], _mean(overall["mean"]))]
    rows += [
        (labels[name], means[f"{name}_n"], _mean(means[name]))
        for name in MARKS
        if means[f"{name}_people"] >= LEAST_RATERS and means[f"{name}_organisations"] >= LEAST_ORGANISATIONS
    ]
    heads = [
        Head(gettext("Mark")),
        Head(gettext("Ratings"), rules.WHOLE),
        Head(gettext("Mean of 1 to 5"), rules.DECIMAL),
    ]
    return Section("ratings", title, heads, rows)


def _mean(value: Any) -> Decimal | None:
    return None if value is None else round(Decimal(str(value)), 2)


def _qualifications(year: _Year) -> Section:
    instruments = year.scope.instruments.order_by().values("pk")
    granted = Qualification.objects.filter(instrument__in=instruments)
    sessions = CourseSession.objects.filter(
        Q(instrument__in=instruments) | Q(course__instrument__in=instruments),
        year.within("start_at", "facility__time_zone"),
        cancelled_at=None,
    )
    days = {"gte": year.since, "lt": year.until}
    numbers = [
        (gettext("Certificates granted"), granted.filter(_days("valid_from", days)).count()),
        (gettext("Certificates revoked"), granted.filter(
            revoked_at__gte=_start(year.since), revoked_at__lt=_start(year.until)).count()),
        (gettext("People certified at the end"), granted.filter(
            Q(valid_until=None) | Q(valid_until__gte=year.until), valid_from__lt=year.until, revoked_at=None,
        ).aggregate(n=Count("user", distinct=True))["n"]),
        (gettext("Training sessions held"), sessions.distinct().count()),
    ]  # fmt: skip
    heads = [Head(gettext("Figure")), Head(pgettext("how many", "Number"), rules.WHOLE)]
    return Section("qualifications", gettext("Qualifications"), heads, numbers)


def _days(name: str, limits: Mapping[str, date]) -> Q:
    return Q(**{f"{name}__{limit}": day for limit, day in limits.items()})


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _outputs(year: _Year) -> Section:
    purposes = (
        _sessions(year).order_by().values_list("reservation__purpose").annotate(n=Count("pk")).order_by("-n")
    )
    labels = dict(Reservation.Purpose.choices)
    return Section(
        "outputs",
        gettext("Outputs"),
        [Head(gettext("Purpose of the use")), Head(gettext("Sessions"), rules.WHOLE)],
        [(str(labels.get(purpose, purpose)), number) for purpose, number in purposes],
        [gettext("Publications are not recorded on the platform; results handed over are stated above.")],
    )


def _changes(year: _Year) -> Section:
    """List new opening hours, prices and booking policies, by day."""
    instruments = year.scope.instruments.order_by().values("pk")
    pair = ("instrument__name", "instrument__name_zh")
    within = {"instrument__in": instruments}
    offers = ScheduleAssignment.objects.filter(
        _days("from_date", {"gte": year.since, "lt": year.until}), **within
    )
    cards = RateCard.objects.filter(
        _days("valid_from", {"gte": year.since, "lt": year.until}), published_at__isnull=False, **within
    )
    policies = PolicyVersion.objects.filter(
        year.within("valid_from", "instrument__facility__time_zone"), **within
    )
    rows: list[tuple[date, str, str]] = []
    numbers: list[int] = []

    def first(changes: QuerySet[Any], day: str, *more: str) -> list[Any]:
        found = list(changes.order_by(day, *pair, "pk").values_list(day, *pair, *more)[:MOST_LISTED])
        numbers.append(len(found) if len(found) < MOST_LISTED else changes.count())
        return found

    for day, name, name_zh, schedule, units in first(offers, "from_date", "schedule", "units"):
        hours = gettext("opening hours; units: {units}").format(units=units)
        what = hours if schedule else gettext("not on offer")
        rows.append((day, _name((name, name_zh)), what))
    for day, name, name_zh, version in first(cards, "valid_from", "version"):
        rows.append((day, _name((name, name_zh)), gettext("rates, version {n}").format(n=version)))
    for at, name, name_zh, version in first(policies, "valid_from", "version"):
        what = gettext("booking policy, version {n}").format(n=version)
        rows.append((at.date(), _name((name, name_zh)), what))
    rows.sort()
    return Section(
        "changes",
        gettext("What changed"),
        [Head(gettext("From"), rules.DAY), Head(gettext("Instrument")), Head(gettext("Change"))],
        rows[:MOST_LISTED],
        _left_out(sum(numbers)) or ([] if rows else [gettext("Nothing.")]),
    )


DEFINED = (
    "productive_minutes", "norm_minutes", "norm_utilisation", "operations_minutes", "operational_utilisation",
    "availability", "external_share", "cross_region_share", "standby_minutes", "no_show_minutes",
    "scheduled_down_minutes", "unscheduled_down_minutes", "engineering_minutes", "sessions", "breakdowns",
    "lead_hours", "cancelled_late",
)  # fmt: skip


def _definitions(year: _Year) -> Section:
    heads = [Head(gettext("Figure")), Head(pgettext("figure", "What it means"))]
    rows = [(str(NAMES[name]), str(MEANINGS[name])) for name in DEFINED]
    return Section("definitions", gettext("Definitions"), heads, rows)
