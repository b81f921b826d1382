"""Auditors' reports: of a year, of other days, of a finding and of a sample."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Min, Q, QuerySet, Sum
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext, pgettext

from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import Actor
from accounts.letters.words import named
from accounts.models import Organisation, Region, Seal
from accounts.selectors.rows import visible
from accounts.selectors.seals import seals
from accounts.selectors.verification import last_verified
from bookings.audit.domain.actions import UNFINISHED
from bookings.audit.domain.audit import RULES
from bookings.audit.models import AuditAction, AuditException, AuditFinding, AuditPaper, AuditRun, AuditSample
from bookings.audit.selectors.actions import actions_for, finding_actions, is_action_overdue
from bookings.audit.selectors.audit import (
    AUDIT,
    amounts_of,
    exceptions_for,
    exceptions_of,
    finding_day,
    findings_for,
    is_finding_overdue,
    reported,
    samples_for,
)
from bookings.audit.selectors.rules import AUDIT_RULES, rule_name
from bookings.audit.selectors.trail import finding_steps
from bookings.hours.selectors.reading import figures_for
from bookings.pricing.models import Charge
from bookings.record.domain.money import format_amount
from bookings.record.models import UsageSession
from bookings.statistics.domain import reports as rules
from bookings.statistics.domain.reports import Cell, Head, Report, Section
from instruments.reading.domain.clock import instant, local_date

MOST_LISTED = 200  # rows of a table that has one for each sample, finding or action
BATCH = 2000
STATES = ("open", "review", "explained", "confirmed")

type Totals = dict[str, Decimal]


def papers_of(actor: Actor) -> QuerySet[AuditPaper]:
    """Return the actor's own papers, the newest first."""
    rows = AuditPaper.objects.filter(user_id=actor.person)
    return rows.select_related("region", "finding", "sample").order_by("-created_at", "-id")


def paper_for(actor: Actor, paper_id: UUID) -> AuditPaper:
    """Return a paper of the actor's own; `NotFound` for others', and for everybody who no longer audits."""
    if not actor.regions_where(AUDIT):
        raise NotFound
    return visible(papers_of(actor), pk=paper_id)


def region_to_audit(actor: Actor, code: str) -> Region:
    """Return a region that the actor audits as a whole; `NotFound` for others."""
    above = list(actor.regions_where(AUDIT))
    return visible(Region.objects.filter(lineage__overlap=above), code=code)


@dataclass(frozen=True)
class Span:
    """The subject of a report: all that concerns a region and those below it, on days by its clock, for one
    auditor."""

    actor: Actor
    region: Region
    since: date
    until: date
    now: datetime

    @property
    def first(self) -> datetime:
        return instant(ZoneInfo(self.region.time_zone), self.since, 0)

    @property
    def last(self) -> datetime:
        return instant(ZoneInfo(self.region.time_zone), self.until, 0)

    def during(self, moment: str) -> Q:
        """Return the condition that an instant lies in the span."""
        return Q(**{f"{moment}__gte": self.first, f"{moment}__lt": self.last})

    def exceptions(self) -> QuerySet[AuditException]:
        """Return the exceptions that happened in the span and concern an organisation of the region."""
        return reported(exceptions_for(self.actor), self.region, self.since, self.until)

    def findings(self) -> QuerySet[AuditFinding]:
        """Return the findings that were raised in the span, or before it and not closed before it."""
        rows = findings_for(self.actor).filter(region_ids__contains=[self.region.pk])
        return rows.filter(raised_at__lt=self.last).exclude(closed_at__lt=self.first)

    def samples(self) -> QuerySet[AuditSample]:
        """Return the samples that were drawn in the span from the region, alone or with others."""
        below = Region.objects.filter(lineage__contains=[self.region.pk]).values_list("pk", flat=True)
        rows = samples_for(self.actor).filter(region_ids__overlap=[*self.region.lineage, *below])
        return rows.filter(self.during("made_at"))

    def actions(self) -> QuerySet[AuditAction]:
        """Return the actions on the findings of the span."""
        findings = self.findings().order_by().values("pk")
        return actions_for(self.actor).filter(finding__in=findings, made_at__lt=self.last)


def year_report(actor: Actor, code: str, year: int, now: datetime) -> Report:
    """Return the auditor's report of a year about a region, in the current language: what was examined and
    what was found. Raise `NotFound` for a region that the actor does not audit, `Invalid` for a year that
    has not begun. Some thirty statements, and two for each 2,000 exceptions."""
    region = region_to_audit(actor, code)
    if date(year, 1, 1) > local_date(ZoneInfo(region.time_zone), now):
        raise invalid("year", "not-begun")
    return span_report(Span(actor, region, date(year, 1, 1), date(year + 1, 1, 1), now))


def span_report(span: Span) -> Report:
    """Return the report of a year, or of other days, about a region."""
    is_year = rules.year_of(span.since, span.until)
    title = (
        gettext("Auditor's report of the year {year}").format(year=is_year)
        if is_year
        else gettext("Auditor's report from {since} until {until}").format(since=span.since, until=span.until)
    )
    exceptions = _exceptions(span)
    findings = list(
        span.findings().annotate(unfinished=Count("actions", filter=Q(actions__state__in=UNFINISHED)))
    )
    actions = list(span.actions())
    sections = [
        _glance(span, exceptions, findings, actions),
        _runs(span),
        _samples(span),
        _by_rule(exceptions),
        _by_organisation(exceptions),
        _severities(findings, span.now),
        _findings(findings, span.now),
        _actions(actions, span.now),
        _audited(span, exceptions),
        _used_elsewhere(span),
        _seals(span),
        _definitions(),
    ]
    zone = ZoneInfo(span.region.time_zone)
    facts = [
        (gettext("Region"), named(span.region)),
        (pgettext("audit", "Days"), f"{span.since} – {span.until} ({gettext('exclusive')})"),
        (gettext("As of"), f"{span.now.astimezone(zone):%Y-%m-%d %H:%M} {span.region.time_zone}"),
    ]
    name = f"audit-{slugify(span.region.code)}-{is_year or f'{span.since}-{span.until}'}"
    nothing = gettext("Nothing in these days.")
    return Report(title, named(span.region), facts, rules.without_empty_tables(sections, nothing), name)


# Exceptions with what is behind them


@dataclass(frozen=True)
class _Found:
    """Exceptions of a report, and the charges and sessions behind each of them."""

    rows: Sequence[Any]  # rule, organisation, state, amount and id
    charges: Mapping[UUID, frozenset[UUID]]
    sessions: Mapping[UUID, frozenset[UUID]]


def _exceptions(span: Span) -> _Found:
    rows: list[Any] = []
    charges: dict[UUID, frozenset[UUID]] = {}
    sessions: dict[UUID, frozenset[UUID]] = {}
    found = span.exceptions().only(
        "rule", "state", "evidence", "amount", "currency",
        "organisation", "organisation__name", "organisation__name_zh",
    )  # fmt: skip
    for batch in _batches(found.select_related(None).select_related("organisation")):
        rows += batch
        behind = {row.pk: {UUID(item["id"]) for item in row.evidence} for row in batch}
        every = set().union(*behind.values())
        of_bookings: dict[UUID, set[UUID]] = defaultdict(set)
        known = Charge.objects.filter(Q(pk__in=every) | Q(reservation_id__in=every))
        for pk, booking in known.values_list("pk", "reservation_id"):
            for of in (pk, booking):
                of_bookings[of].add(pk)
        used: dict[UUID, set[UUID]] = defaultdict(set)
        uses = UsageSession.objects.filter(Q(pk__in=every) | Q(reservation_id__in=every))
        for pk, booking in uses.values_list("pk", "reservation_id"):
            for of in (pk, booking):
                used[of].add(pk)
        for row in batch:
            charges[row.pk] = frozenset().union(*(of_bookings.get(pk, ()) for pk in behind[row.pk]))
            sessions[row.pk] = frozenset().union(*(used.get(pk, ()) for pk in behind[row.pk]))
    return _Found(rows, charges, sessions)


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield rows in batches by their key."""
    rows, last = rows.order_by("pk"), None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        yield batch
        last = batch[-1].pk


def _money(totals: Mapping[str, Decimal]) -> str:
    parts = [f"{code} {Decimal(format_amount(totals[code], code)):,}" for code in sorted(totals)]
    return "; ".join(parts) or "–"


def _counted(rows: Sequence[Any]) -> list[Any]:
    counts = Counter(row.state for row in rows)
    return [len(rows), *(counts[state] for state in STATES), _money(amounts_of(rows))]


def _count_heads(first: str) -> list[Head]:
    labels = [label for _, label in AuditException.State.choices]
    return [
        Head(first),
        Head(gettext("Found"), rules.WHOLE),
        *(Head(capfirst(str(label)), rules.WHOLE) for label in labels),
        Head(gettext("Amounts behind them")),
    ]


def _by_rule(found: _Found) -> Section:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in found.rows:
        groups[row.rule].append(row)
    order = {code: number for number, code in enumerate(RULES)}
    rows = [
        (rule_name(code), *_counted(groups[code]))
        for code in sorted(groups, key=lambda code: (order.get(code, 99), code))
    ]
    return Section("rules", gettext("Exceptions by rule"), _count_heads(gettext("Rule")), rows)


def _by_organisation(found: _Found) -> Section:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in found.rows:
        groups[row.organisation_id].append(row)
    by_number = sorted(groups.values(), key=lambda rows: (-len(rows), named(rows[0].organisation)))
    rows = [(named(group[0].organisation), *_counted(group)) for group in by_number[:MOST_LISTED]]
    title, heads = gettext("Exceptions by organisation"), _count_heads(gettext("Organisation"))
    return Section("organisations", title, heads, rows, _left_out(len(by_number)))


def _left_out(number: int) -> list[str]:
    if number <= MOST_LISTED:
        return []
    return [gettext("Shown: the first {most} of {n}.").format(most=MOST_LISTED, n=number)]


# What was done


def _glance(span: Span, found: _Found, findings: Sequence[Any], actions: Sequence[AuditAction]) -> Section:
    states = Counter(row.state for row in found.rows)
    during = [row for row in findings if span.first <= row.raised_at < span.last]
    rows = [
        (gettext("Runs of the rules"), AuditRun.objects.filter(span.during("started_at")).count()),
        (gettext("Samples drawn"), span.samples().count()),
        (gettext("Exceptions found"), len(found.rows)),
        (gettext("of these decided"), states["explained"] + states["confirmed"]),
        (gettext("Findings raised"), len(during)),
        (gettext("Findings from earlier that were open"), len(findings) - len(during)),
        (gettext("of all these closed"), sum(row.state == "closed" for row in findings)),
        (gettext("Findings overdue"), sum(is_finding_overdue(row, span.now) for row in findings)),
        (gettext("Actions agreed"), len(actions)),
        (gettext("of these not finished"), sum(row.state in UNFINISHED for row in actions)),
        (gettext("Actions overdue"), sum(is_action_overdue(row, span.now) for row in actions)),
    ]
    heads = [Head(gettext("Figure")), Head(pgettext("how many", "Number"), rules.WHOLE)]
    notes = [
        gettext("States are those of today."),
        gettext(
            "An exception counts in the region of the organisation that it concerns, the host of a booking "
            "or a charge, not in that of the payer: so the numbers of regions add up."
        ),
    ]
    return Section("glance", gettext("At a glance"), heads, rows, notes)


def _runs(span: Span) -> Section:
    zone = ZoneInfo(span.region.time_zone)
    months: dict[str, Counter[str]] = defaultdict(Counter)
    runs = AuditRun.objects.filter(span.during("started_at"))
    for at, is_full, looked_at in runs.values_list("started_at", "is_full", "looked_at"):
        month = months[f"{at.astimezone(zone):%Y-%m}"]
        month.update(runs=1, full=int(is_full), looked_at=looked_at)
    return Section(
        "runs",
        gettext("Runs of the rules"),
        [
            Head(gettext("Month")),
            Head(gettext("Runs"), rules.WHOLE),
            Head(gettext("over everything"), rules.WHOLE),
            Head(gettext("Records examined"), rules.WHOLE),
        ],
        [(month, n["runs"], n["full"], n["looked_at"]) for month, n in sorted(months.items())],
        [gettext("Records examined are those of the whole platform.")],
    )


def _samples(span: Span) -> Section:
    found = span.samples().annotate(raised=Count("findings", distinct=True)).order_by("made_at", "id")
    zone = ZoneInfo(span.region.time_zone)
    rows = [
        (
            row.made_at.astimezone(zone).date(),
            str(row.get_subject_display()),
            str(row.get_method_display()),
            f"{row.since} – {row.until}",
            row.count,
            len(row.drawn),
            row.seed,
            bytes(row.digest).hex(),
            row.raised,
        )
        for row in found[:MOST_LISTED]
    ]
    heads = [
        Head(pgettext("audit", "Drawn on"), rules.DAY),
        Head(gettext("Drawn from")),
        Head(gettext("Method")),
        Head(pgettext("audit", "Days")),
        Head(gettext("Population"), rules.WHOLE),
        Head(pgettext("audit", "Size"), rules.WHOLE),
        Head(gettext("Seed")),
        Head(gettext("SHA-256 of the population")),
        Head(gettext("Findings"), rules.WHOLE),
    ]
    return Section("samples", pgettext("audit", "Samples"), heads, rows, _left_out(found.count()))


# Findings and actions


def _age(row: AuditFinding, now: datetime) -> int:
    """Return for how many days a finding has been open, or was until it was closed."""
    return ((row.closed_at or now) - row.raised_at).days


def _severities(findings: Sequence[AuditFinding], now: datetime) -> Section:
    rows = []
    for severity, label in reversed(AuditFinding.Severity.choices):
        group = [row for row in findings if row.severity == severity]
        if group:
            states = Counter(row.state for row in group)
            unclosed = [_age(row, now) for row in group if row.state != "closed"]
            rows.append(
                (
                    capfirst(str(label)),
                    len(group),
                    *(states[state] for state in AuditFinding.State.values),
                    sum(is_finding_overdue(row, now) for row in group),
                    max(unclosed, default=None),
                )
            )
    heads = [
        Head(gettext("Severity")),
        Head(gettext("Findings"), rules.WHOLE),
        *(Head(capfirst(str(label)), rules.WHOLE) for label in AuditFinding.State.labels),
        Head(gettext("Overdue"), rules.WHOLE),
        Head(gettext("Oldest not closed, in days"), rules.WHOLE),
    ]
    return Section("severities", gettext("Findings by severity and state"), heads, rows)


def _findings(findings: Sequence[Any], now: datetime) -> Section:
    rows = [
        (
            row.title,
            named(row.organisation),
            row.get_severity_display(),
            row.get_state_display(),
            row.raised_at.astimezone(ZoneInfo(row.organisation.region.time_zone)).date(),
            row.due_date,
            row.follow_up_date,
            _age(row, now),
            row.unfinished,
        )
        for row in sorted(findings, key=lambda row: (row.state == "closed", row.raised_at))[:MOST_LISTED]
    ]
    heads = [
        Head(gettext("Finding")),
        Head(gettext("Organisation")),
        Head(gettext("Severity")),
        Head(gettext("State")),
        Head(gettext("Raised"), rules.DAY),
        Head(gettext("To be answered by"), rules.DAY),
        Head(gettext("Follow-up from"), rules.DAY),
        Head(gettext("Age in days"), rules.WHOLE),
        Head(gettext("Actions not finished"), rules.WHOLE),
    ]
    return Section("findings", gettext("Findings"), heads, rows, _left_out(len(findings)))


def _actions(actions: Sequence[AuditAction], now: datetime) -> Section:
    counts = Counter(row.state for row in actions)
    note = gettext("Verified: {verified}. Withdrawn: {withdrawn}.")
    unfinished = [row for row in actions if row.state in UNFINISHED]
    rows = [_action_line(row, now) for row in unfinished[:MOST_LISTED]]
    notes = [note.format(verified=counts["verified"], withdrawn=counts["withdrawn"])]
    title = gettext("Actions not finished")
    return Section("actions", title, _action_heads(), rows, [*notes, *_left_out(len(unfinished))])


def _action_heads() -> list[Head]:
    return [
        Head(pgettext("audit", "Action")),
        Head(gettext("Finding")),
        Head(gettext("Organisation")),
        Head(pgettext("action", "Owner")),
        Head(pgettext("action", "Due"), rules.DAY),
        Head(gettext("State")),
        Head(gettext("Days overdue"), rules.WHOLE),
    ]


def _action_line(row: AuditAction, now: datetime) -> tuple[Any, ...]:
    late = (finding_day(row.finding, now) - row.due_date).days if is_action_overdue(row, now) else None
    return (
        row.text,
        row.finding.title,
        named(row.finding.organisation),
        str(row.owner),
        row.due_date,
        row.get_state_display(),
        late,
    )


# Money and hours


def _of_hosts(span: Span) -> Q:
    return Q(host_region__lineage__contains=[span.region.pk])


def _elsewhere(span: Span, prefix: str = "") -> Q:
    """Return the condition that a payer of the region used an instrument of a host elsewhere."""
    within = {f"{prefix}{of}_region__lineage__contains": [span.region.pk] for of in ("host", "payer")}
    host, payer = (Q(**{name: value}) for name, value in within.items())
    return payer & ~host


def _effective(span: Span) -> int:
    """Return the effective minutes of the region's instruments, as the page of hours shows them."""
    figures = figures_for(
        span.actor, narrowed={"region": span.region.code}, since=span.since, until=span.until, by=[]
    )
    return figures.total.minutes.productive if figures.total else 0


def _audited(span: Span, found: _Found) -> Section:
    """Compare the money and hours of the region's hosts that were examined, in samples or behind decided
    exceptions, with all of theirs in the span."""
    decided = [row.pk for row in found.rows if row.state in {"explained", "confirmed"}]
    charges: set[UUID] = set().union(*(found.charges.get(pk, frozenset()) for pk in decided))
    sessions: set[UUID] = set().union(*(found.sessions.get(pk, frozenset()) for pk in decided))
    bookings: set[UUID] = set()
    for subject, drawn in span.samples().values_list("subject", "drawn"):
        of = {"charges": charges, "sessions": sessions}.get(subject, bookings)
        of |= {UUID(pk) for pk in drawn}
    of_bookings = Q(reservation_id__in=bookings)
    all_charges = Charge.objects.filter(_of_hosts(span), span.during("created_at"))
    examined = Charge.objects.filter(_of_hosts(span), Q(pk__in=charges) | of_bookings)
    rows: list[tuple[Any, ...]] = []
    sums = dict(all_charges.order_by().values_list("currency").annotate(Sum("total")))
    seen = {code: (n, total) for code, n, total in examined.order_by().values_list("currency").annotate(
        Count("pk"), Sum("total"))}  # fmt: skip
    for code in sorted(sums.keys() | seen.keys()):
        number, total = seen.get(code, (0, Decimal(0)))
        whole = sums.get(code) or Decimal(0)
        rows.append(
            (
                gettext("Charges in {currency}").format(currency=code),
                number,
                Cell(total, rules.DECIMAL),
                Cell(whole, rules.DECIMAL),
                total / whole if whole > 0 and total <= whole else None,
            )
        )
    used = UsageSession.objects.filter(instrument__region__lineage__contains=[span.region.pk])
    n, minutes = _minutes(used.filter(Q(pk__in=sessions) | of_bookings))
    all_minutes = _effective(span)
    if n or all_minutes:
        share = Decimal(minutes) / all_minutes if all_minutes and minutes <= all_minutes else None
        rows.append(
            (gettext("Effective hours"), n, Cell(minutes, rules.HOURS), Cell(all_minutes, rules.HOURS), share)
        )
    heads = [
        Head(gettext("Examined")),
        Head(gettext("Records"), rules.WHOLE),
        Head(gettext("Examined amount"), rules.DECIMAL),
        Head(gettext("All of these days"), rules.DECIMAL),
        Head(gettext("Share"), rules.PERCENT),
    ]
    notes = [
        gettext("Examined: drawn in a sample of these days, or behind an exception that was decided."),
        gettext("Charges in several currencies are never added up."),
        gettext(
            "Hours and charges are those of the region's hosts; the hours of all days are those of the page "
            "of hours."
        ),
    ]
    return Section("audited", gettext("Money and hours that were audited"), heads, rows, notes)


def _used_elsewhere(span: Span) -> Section:
    """Return what each payer of the region used and was charged at hosts elsewhere."""
    length = F("checked_out_at") - F("checked_in_at")
    sessions = UsageSession.objects.filter(
        _elsewhere(span, "reservation__"), span.during("checked_in_at"), checked_out_at__isnull=False
    )
    used = {
        pk: (n, int(time.total_seconds() // 60))
        for pk, n, time in sessions.order_by().values_list("reservation__organisation").annotate(
            n=Count("pk"), time=Sum(length, output_field=DurationField()))
    }  # fmt: skip
    charged: dict[UUID, Totals] = defaultdict(dict)
    charges = Charge.objects.filter(_elsewhere(span), span.during("created_at")).order_by()
    for pk, currency, total in charges.values_list("organisation", "currency").annotate(Sum("total")):
        charged[pk][currency] = total
    payers = Organisation.objects.in_bulk(used.keys() | charged.keys())
    rows = [
        (named(payer), *used.get(payer.pk, (0, 0)), _money(charged.get(payer.pk, {})))
        for payer in sorted(payers.values(), key=named)
    ]
    heads = [
        Head(gettext("Organisation")),
        Head(gettext("Sessions"), rules.WHOLE),
        Head(gettext("Hours"), rules.HOURS),
        Head(gettext("Charges")),
    ]
    title = gettext("Used elsewhere by organisations of the region")
    notes = [
        gettext("At hosts of other regions; not among the hours and money above."),
        *_left_out(len(rows)),
    ]
    return Section("elsewhere", title, heads, rows[:MOST_LISTED], notes)


def _minutes(rows: QuerySet[UsageSession]) -> tuple[int, int]:
    length = ExpressionWrapper(F("checked_out_at") - F("checked_in_at"), output_field=DurationField())
    sums = rows.filter(checked_out_at__isnull=False).aggregate(n=Count("pk"), all=Sum(length))
    return sums["n"], int(sums["all"].total_seconds() // 60) if sums["all"] else 0


# The trail


def _seals(span: Span) -> Section:
    found = Seal.objects.filter(span.during("at"))
    sums = found.aggregate(first=Min("number"), last=Max("number"), n=Count("pk"), entries=Sum("count"))
    rows: list[tuple[Any, ...]] = []
    names = {
        "first": (gettext("First seal: number"), gettext("First seal: time"), gettext("First seal: SHA-256")),
        "last": (gettext("Last seal: number"), gettext("Last seal: time"), gettext("Last seal: SHA-256")),
    }
    for which, labels in names.items():
        if sums[which] is not None:
            seal = seals().get(number=sums[which])
            values = (str(seal.number), f"{seal.at:%Y-%m-%dT%H:%M:%SZ}", bytes(seal.digest).hex())
            rows += zip(labels, values, strict=True)
    if rows:
        rows += [(gettext("Seals of these days"), sums["n"]), (gettext("Entries sealed"), sums["entries"])]
    run = last_verified()
    if run is None:
        note = gettext("The trail has not been verified yet.")
    elif run.outcome == "done":
        note = gettext("Verified {when}: nothing has changed since it was sealed.")
    else:
        note = gettext("Verified {when}: something has changed since it was sealed.")
    when = f"{run.started_at.astimezone(ZoneInfo(span.region.time_zone)):%Y-%m-%d %H:%M}" if run else ""
    heads = [Head(gettext("Fact")), Head(gettext("Value"), rules.WHOLE)]
    notes = [note.format(when=when)]
    return Section("seals", gettext("Seals of the trail"), heads, rows, notes)


def _definitions() -> Section:
    heads = [Head(gettext("Rule")), Head(pgettext("figure", "What it means")), Head(gettext("Version"))]
    rows = [
        (str(AUDIT_RULES[code][0]), str(AUDIT_RULES[code][1]), str(rule.version))
        for code, rule in RULES.items()
        if code in AUDIT_RULES
    ]
    notes = [
        gettext("Exceptions are counted on the day on which what they are about happened."),
        gettext(
            "The amount behind an exception, in lists and in reports, is the difference that a correction "
            "made, the grant, the statement, or the charge; for a booking without a charge, its quote. Sums "
            "add up the amounts of the exceptions, by currency."
        ),
        gettext(
            "A finding is overdue if its day to answer is over by the organisation's clock and it was not "
            "answered; an action, if its owner has not reported it as done."
        ),
        gettext(
            "A sample is drawn from a frozen population, whose SHA-256 is given: with the seed anybody draws "
            "the same rows again."
        ),
    ]
    return Section("definitions", gettext("Definitions"), heads, rows, notes)


# One finding, one sample


def finding_report(row: AuditFinding, now: datetime) -> Report:
    """Return the report of a finding: what is wrong, what was answered, and what was agreed and done."""
    zone = ZoneInfo(row.organisation.region.time_zone)

    def said(title: str, code: str, text: str, by: Any, at: datetime | None) -> Section | None:
        signed = f"{by}, {at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""
        return Section(code, title, notes=[*text.splitlines(), signed]) if text else None

    titles = {
        "finding.reply": gettext("Answer of the organisation"),
        "finding.return": gettext("Sent back"),
        "finding.unanswered": gettext("No answer was received"),
    }
    parts = [
        said(gettext("Finding"), "finding", row.text, row.raised_by, row.raised_at),
        *(
            said(titles[step.entry.action], f"step-{number}", step.reason, step.person, step.entry.at)
            for number, step in enumerate(finding_steps(row), 1)
        ),
    ]
    actions = finding_actions(row)
    for action in actions:
        action.finding = row
    lines = [(*_action_line(each, now)[:1], *_action_line(each, now)[3:6], each.note, each.reason)
             for each in actions]  # fmt: skip
    heads = [
        *_action_heads()[:1],
        *_action_heads()[3:6],
        Head(gettext("What was done")),
        Head(gettext("What the auditor says")),
    ]
    files = [
        (file.title, file.ending.upper(), file.size, file.digest)
        for file in row.files.order_by("added_at", "id")
    ]
    file_heads = [
        Head(gettext("File")),
        Head(gettext("Format")),
        Head(gettext("Bytes"), rules.WHOLE),
        Head(gettext("SHA-256 as uploaded")),
    ]
    closed = said(pgettext("audit", "Closure entered"), "closed", row.evidence, row.closed_by, row.closed_at)
    sections = [
        *filter(None, parts),
        Section("actions", gettext("Agreed actions"), heads, lines),
        Section("files", gettext("Files"), file_heads, files),
        *filter(None, [closed]),
    ]
    facts = [
        (gettext("Organisation"), named(row.organisation)),
        (gettext("Severity"), str(row.get_severity_display())),
        (gettext("State"), str(row.get_state_display())),
        (gettext("To be answered by"), str(row.due_date)),
        (gettext("Follow-up from"), str(row.follow_up_date or "–")),
    ]
    if exceptions := exceptions_of(row):
        facts.append((gettext("Exceptions"), f"{len(exceptions)}; {_money(amounts_of(exceptions))}"))
    made = rules.without_empty_tables(sections, gettext("None."))
    return Report(gettext("Finding"), row.title, facts, made, f"finding-{row.pk}")


def sample_report(row: AuditSample, findings: Sequence[AuditFinding]) -> Report:
    """Return the report of a sample: how it was drawn, and which findings were raised from it."""
    facts = [
        (gettext("Drawn from"), str(row.get_subject_display())),
        (gettext("Method"), str(row.get_method_display())),
        (pgettext("audit", "Days"), f"{row.since} – {row.until} ({gettext('exclusive')})"),
        (gettext("Seed"), row.seed),
        (gettext("How many"), f"{len(row.drawn)} / {row.count}"),
        (gettext("SHA-256 of the population"), bytes(row.digest).hex()),
        (pgettext("audit", "Drawn by"), f"{row.made_by}, {row.made_at:%Y-%m-%dT%H:%M:%SZ}"),
    ]
    heads = [Head(gettext("Finding")), Head(gettext("Severity")), Head(gettext("State"))]
    lines = [(each.title, each.get_severity_display(), each.get_state_display()) for each in findings]
    sections = [
        Section("drawn", gettext("Rows drawn"), [Head("ID")], [(pk,) for pk in row.drawn]),
        Section("findings", gettext("Findings"), heads, lines),
    ]
    made = rules.without_empty_tables(sections, gettext("None."))
    subject = gettext("{subject}, {method}").format(
        subject=row.get_subject_display(), method=row.get_method_display()
    )
    return Report(gettext("Sample"), capfirst(subject), facts, made, f"sample-{row.pk}")
