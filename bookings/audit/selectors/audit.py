"""Find what each person may see of the audit, and what of it is their own case."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import AUDITOR, Actor, By
from accounts.letters.words import listed
from accounts.models import Organisation, Region, TrailEntry, User
from accounts.selectors.memberships import no_second, place_of
from accounts.selectors.rows import among, visible
from accounts.selectors.zones import DayIn
from bookings.audit.domain.audit import MOVES, RULES, may_become
from bookings.audit.models import AuditAction, AuditException, AuditFinding, AuditSample
from bookings.audit.selectors.sampling import drawn_rows
from bookings.funding.selectors.programmes import grants_for
from bookings.pricing.models import Charge, Correction
from bookings.pricing.selectors.charges import IN_FORCE, charges_for
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.lists import CHOICE, ID, Column, Filter, Listing, amount_of
from bookings.record.selectors.reservations import reservations_for
from instruments.reading.domain.clock import instant, local_date
from instruments.register.models import Instrument

AUDIT = "audit"
# The trail's name of each type of evidence.
EVIDENCE = {
    "reservation": "reservation",
    "session": "usagesession",
    "charge": "charge",
    "statement": "statement",
    "instrument": "instrument",
    "grant": "vouchergrant",
    "entry": "trailentry",
}


def exceptions_for(actor: Actor) -> QuerySet[AuditException]:
    """Return the exceptions of the regions that the actor audits and all below them, the riskiest first, then
    the newest; none for others."""
    regions = list(actor.regions_where(AUDIT))
    return (
        AuditException.objects.filter(region_ids__overlap=regions)
        .select_related("organisation", "decided_by")
        .order_by("-risk", "-id")
    )


def exceptions_matching(by: By, values: Mapping[str, Any], state: str) -> QuerySet[AuditException]:
    """Return the exceptions that the actor may see, that match the values of their list's filters and that
    may come into a state."""
    rows = EXCEPTIONS.narrowed(exceptions_for(by.actor), values, by)
    return rows.filter(state__in=[each for each in MOVES if may_become(each, state)])


def exception_for(actor: Actor, exception_id: UUID) -> AuditException:
    """Return an exception; `NotFound` if there is none or the actor may not see it."""
    return visible(exceptions_for(actor), pk=exception_id)


def amounts_of(rows: Iterable[AuditException]) -> dict[str, Decimal]:
    """Return the sums by currency of what is at stake in exceptions, as their list shows it."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row.amount is not None:
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.amount
    return sums


# The records with an amount, of which the first behind an exception says what it is.
PRICED = ("grant", "statement", "charge", "reservation")


def amounts_by_record(rows: Iterable[AuditException]) -> dict[str, tuple[Decimal, str]]:
    """Return what is at stake in exceptions, by the id of the record that each is about."""
    return {
        item["id"]: (row.amount, row.currency)
        for row in rows
        if row.amount is not None
        for item in [each for each in row.evidence if each["type"] in PRICED][:1]
    }


def charge_behind(actor: Actor, row: AuditException) -> UUID | None:
    """Return the charge that an exception's amount is of, where it has one: one of its evidence, or the one
    in force of its booking."""
    ids = {kind: [item["id"] for item in row.evidence if item["type"] == kind] for kind in PRICED}
    charges = charges_for(actor).filter(
        Q(pk__in=ids["charge"]) | Q(IN_FORCE, reservation__in=ids["reservation"])
    )
    found = [str(pk) for pk in charges.order_by().values_list("pk", flat=True)]
    return next((UUID(pk) for pk in (*ids["charge"], *found) if pk in found), None)


def bookings_of_sessions(ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the bookings of usage sessions. It takes one statement, none without sessions."""
    wanted = list(ids)
    rows = UsageSession.objects.filter(pk__in=wanted)
    return dict(rows.values_list("pk", "reservation_id")) if wanted else {}


def exceptions_of(finding: AuditFinding) -> list[AuditException]:
    """Return the exceptions for which a finding was raised: one of its own, and others that it confirmed at
    the same time."""
    of = Q(pk=finding.exception_id) | Q(raised_in=finding)
    return list(AuditException.objects.filter(of).order_by("happened_at", "pk"))


# What people do in the bookings and charges behind an exception.
PARTS = {
    "user": _("booked for"),
    "made_by": _("requested by"),
    "decided_by": _("decided by"),
    "attended": _("attended by"),
    "proposed_by": _("correction proposed by"),
    "agreed_by": _("correction agreed by"),
}


def with_details(rows: list[Any]) -> list[Any]:
    """Set `about` on exceptions (`with_instruments`), and `people`: who booked, requested and decided, or
    proposed and agreed a correction, each once with their part. Who sees an exception audits a region of the
    booking's host or payer, and so may see the booking. Five statements."""
    behind = {row.pk: [UUID(item["id"]) for item in row.evidence] for row in rows}
    ids = set().union(*behind.values())
    parts: dict[UUID, list[tuple[str, UUID]]] = {}
    names = ("user", "made_by", "decided_by")
    booked = Reservation.objects.filter(pk__in=ids).values_list("pk", *(f"{name}_id" for name in names))
    for pk, *people in booked:
        parts[pk] = [(part, person) for part, person in zip(names, people, strict=True) if person]
    attended = Charge.objects.filter(pk__in=ids, enrolment__isnull=False)
    corrected = Correction.objects.filter(charge__in=ids, state="agreed")
    more: list[Any] = [
        *((pk, user, None, None) for pk, user in attended.values_list("pk", "enrolment__user_id")),
        *((pk, None, *both) for pk, *both in corrected.values_list("charge", "proposed_by", "decided_by")),
    ]
    for pk, *people in more:
        named = zip(("attended", "proposed_by", "agreed_by"), people, strict=True)
        parts.setdefault(pk, []).extend((part, person) for part, person in named if person)
    users = User.objects.in_bulk({person for each in parts.values() for _part, person in each})
    for row in rows:
        found: dict[UUID, list[str]] = {}
        for pk in behind[row.pk]:
            for part, person in parts.get(pk, ()):
                # That people request for themselves is the rule.
                if part not in found.setdefault(person, []) and not (part == "made_by" and found[person]):
                    found[person].append(part)
        row.people = [
            (listed([str(PARTS[part]) for part in parts_of]), users[person])
            for person, parts_of in found.items()
            if person in users
        ]
    return with_instruments(rows)


def said_people(row: Any, by: By) -> str:
    """Return the people of an exception as files write them."""
    return "; ".join(f"{part} {person}" for part, person in row.people)


def with_instruments(rows: list[Any]) -> list[Any]:
    """Set `about` on exceptions: the instrument that their evidence concerns, which is the evidence itself or
    the instrument of a booking, course or charge; None if the evidence is a grant or is gone. Two
    statements."""
    behind = {row.pk: [UUID(item["id"]) for item in row.evidence] for row in rows}
    ids = set().union(*behind.values())
    bookings = Reservation.objects.filter(pk__in=ids).values_list("pk", "instrument_id")
    of_charge = Coalesce("reservation__instrument_id", "enrolment__session__course__instrument_id")
    charges = Charge.objects.filter(pk__in=ids).values_list("pk", of_charge)
    instrument_ids = {pk: pk for pk in ids} | dict(bookings.union(charges, all=True))
    instruments = Instrument.objects.in_bulk(instrument_ids.values())
    for row in rows:
        found = (instruments.get(instrument_ids[pk]) for pk in behind[row.pk])
        row.about = next(filter(None, found), None)
    return rows


def own_records(actor: Actor, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of the records are the actor's own case: bookings that are for them, or that they made or
    decided on, charges of courses that they attended or enrolled for, and every record on which they ever
    acted according to the trail (proposed a correction, displaced it, entered it). It takes one statement. A
    second account of the same person cannot be recognised."""
    person, ids = actor.person, list(ids)
    booked = Q(user_id=person) | Q(made_by_id=person) | Q(decided_by_id=person)
    bookings = Reservation.objects.filter(booked, pk__in=ids).values_list("pk")
    attended = Q(enrolment__user_id=person) | Q(enrolment__asked_by_id=person)
    courses = Charge.objects.filter(attended, pk__in=ids).values_list("pk")
    acted_on = TrailEntry.objects.filter(actor_id=person, object_id__in=ids)
    return frozenset(pk for (pk,) in bookings.union(courses, acted_on.values_list("object_id")))


def own_case(actor: Actor, region_ids: Iterable[UUID]) -> Refused:
    """Return the refusal that an auditor must not decide on their own case and that another auditor of the
    regions must; it says so if there is no other. It takes one statement."""
    none = no_second(AUDIT, region_ids=region_ids, besides=[actor.user_id])
    return none or NotPermitted("own-case")


def own_exceptions(actor: Actor, rows: Iterable[AuditException]) -> frozenset[UUID]:
    """Return the exceptions that another auditor must decide, because a record behind them is the actor's own
    case. It takes one statement."""
    behind = {row.pk: {UUID(item["id"]) for item in row.evidence} for row in rows}
    own = own_records(actor, set().union(*behind.values()))
    return frozenset(pk for pk, ids in behind.items() if ids & own)


def own_samples(actor: Actor, rows: Iterable[AuditSample]) -> frozenset[UUID]:
    """Return the samples in which a row that was drawn is the actor's own case. It takes two statements per
    sample."""
    return frozenset(row.pk for row in rows if own_drawn(actor, drawn_rows(row)))


def own_drawn(actor: Actor, drawn: Sequence[Any]) -> frozenset[UUID]:
    """Return the rows drawn for a sample that are the actor's own case. It takes one statement."""
    behind = {row.pk: {row.pk, getattr(row, "reservation_id", row.pk)} - {None} for row in drawn}
    own = own_records(actor, set().union(*behind.values()))
    return frozenset(pk for pk, ids in behind.items() if ids & own)


def own_findings(actor: Actor, rows: Iterable[AuditFinding]) -> frozenset[UUID]:
    """Return the findings that another auditor must decide: those about an exception or a sample of the
    actor's own, and those that the actor answered or of which they own or did an action. It takes three
    statements for an auditor, and two more per sample."""
    findings = list(rows)
    if not actor.has(AUDITOR) or not findings:
        return frozenset()
    exceptions = AuditException.objects.filter(Q(finding__in=findings) | Q(raised_in__in=findings))
    samples = AuditSample.objects.filter(findings__in=findings).distinct().defer("population")
    person = actor.person
    behind = list(exceptions)
    own = own_exceptions(actor, behind) | own_samples(actor, samples)
    own |= {row.raised_in_id for row in behind if row.pk in own and row.raised_in_id}
    acted = AuditAction.objects.filter(Q(owner_id=person) | Q(done_by_id=person), finding__in=findings)
    own |= frozenset(acted.values_list("finding_id", flat=True))
    return frozenset(
        row.pk
        for row in findings
        if own & {row.pk, row.exception_id, row.sample_id} or row.replied_by_id == person
    )


def organisations_with_exceptions(actor: Actor) -> list[Organisation]:
    """Return the organisations of the exceptions that the actor may see, by name. It takes one statement."""
    seen = exceptions_for(actor).order_by().values("organisation")
    return list(Organisation.objects.filter(pk__in=seen).order_by("name", "code"))


def exception_counts(actor: Actor) -> dict[str, dict[str, int]]:
    """Return the number of exceptions that the actor may see, by rule and state. It takes one statement."""
    counts: dict[str, dict[str, int]] = {code: {} for code in RULES}
    sums = exceptions_for(actor).order_by().values_list("rule", "state").annotate(Count("pk"))
    for rule, state, count in sums:
        counts.setdefault(rule, {})[state] = count
    return counts


def findings_for(actor: Actor) -> QuerySet[AuditFinding]:
    """Return the findings in the regions that the actor audits, those that the actor's organisations have to
    answer, and those with an action that the actor owns; newest first."""
    owned = AuditAction.objects.filter(owned_actions(actor)).exclude(state="withdrawn")
    return (
        AuditFinding.objects.filter(
            Q(region_ids__overlap=list(actor.regions_where(AUDIT)))
            | Q(organisation_id__in=actor.organisations_where("manage-charges"))
            | among("pk", owned.order_by().values("finding"))
        )
        .select_related("organisation__region", "raised_by", "replied_by", "closed_by", "no_answer_by")
        .order_by("-raised_at", "-id")
    )


def owned_actions(actor: Actor) -> Q:
    """Return the condition for the actions that the actor owns, as long as they belong to the
    organisation."""
    return Q(owner_id=actor.user_id, finding__organisation_id__in=actor.organisations)


def finding_day(row: AuditFinding, now: datetime) -> date:
    """Return today's date where the organisation is that has to answer the finding."""
    return local_date(ZoneInfo(row.organisation.region.time_zone), now)


def is_finding_overdue(row: AuditFinding, now: datetime) -> bool:
    """Return whether the day by which the finding has to be answered is over, in the organisation's time
    zone."""
    return row.state == "open" and row.due_date < finding_day(row, now)


def findings_in(rows: QuerySet[AuditFinding], state: str, now: datetime) -> QuerySet[AuditFinding]:
    """Return the findings in a state, or that are `unclosed` or `overdue` or whose `follow_up` is due, the
    first to fall due first; with an empty state, all."""
    if state == "overdue":
        today = DayIn(now, "organisation__region__time_zone")
        return rows.filter(state="open", due_date__lt=today).order_by("due_date", "id")
    if state == "follow_up":
        today = DayIn(now, "organisation__region__time_zone")
        due = rows.filter(follow_up_date__lte=today).exclude(state="closed")
        return due.order_by("follow_up_date", "id")
    if state == "unclosed":
        return rows.exclude(state="closed").order_by("due_date", "id")
    return rows.filter(state=state) if state in AuditFinding.State.values else rows


def finding_for(actor: Actor, finding_id: UUID) -> AuditFinding:
    """Return a finding; `NotFound` if there is none or the actor may not see it."""
    rows = findings_for(actor).select_related("exception", "sample")
    return visible(rows, pk=finding_id)


def finding_records(actor: Actor, finding: AuditFinding) -> list[dict[str, str]]:
    """Return the records behind a finding, in the form of evidence: those of its exception, and the rows
    drawn in its sample (for usage sessions, their bookings). The audited party gets only records that concern
    its organisation as host or payer and that it may see anyway."""
    items = list(finding.exception.evidence) if finding.exception else []
    items += [item for row in finding.others.order_by("pk") for item in row.evidence]
    sample = finding.sample
    if sample is not None:
        kind, drawn = sample.subject[:-1], sample.drawn
        if kind == "session":
            kind, drawn = "reservation", [row.reservation_id for row in drawn_rows(sample)]
        items += [{"type": kind, "id": str(pk)} for pk in drawn]
    of = finding.organisation
    if not items or actor.may(AUDIT, place_of(of)):
        return items
    ids = {item["id"] for item in items}
    own = Q(host=of) | Q(organisation=of)
    bookings = reservations_for(actor).filter(own)
    seen: list[QuerySet[Any]] = [
        bookings.filter(pk__in=ids),
        UsageSession.objects.filter(reservation__in=bookings.values("pk"), pk__in=ids),
        charges_for(actor).filter(own, pk__in=ids),
        Instrument.objects.filter(organisation=of, pk__in=ids),
        grants_for(actor).filter(organisation=of, pk__in=ids),
    ]
    first, *others = (rows.order_by().values_list("pk", flat=True) for rows in seen)
    shown = {str(pk) for pk in first.union(*others, all=True)}
    return [item for item in items if item["id"] in shown]


def samples_for(actor: Actor) -> QuerySet[AuditSample]:
    """Return the samples whose population lies wholly in an auditor's regions, newest first."""
    regions = list(
        Region.objects.filter(lineage__overlap=list(actor.regions_where(AUDIT))).values_list("pk", flat=True)
    )
    return (
        AuditSample.objects.filter(region_ids__contained_by=regions)
        .select_related("made_by")
        .defer("population")
        .order_by("-made_at", "-id")
    )


def sample_for(actor: Actor, sample_id: UUID) -> AuditSample:
    return visible(samples_for(actor), pk=sample_id)


def audited_organisations(actor: Actor) -> list[Organisation]:
    """Return the organisations of the regions that the actor audits, by name. It takes one statement."""
    above = list(actor.regions_where(AUDIT))
    rows = Organisation.objects.filter(region__lineage__overlap=above)
    return list(rows.order_by("name", "code"))


def audited_organisation(actor: Actor, code: str) -> Organisation:
    """Return an organisation of the regions that the actor audits; `NotFound` for others."""
    return visible(
        Organisation.objects.select_related("region"),
        code=code,
        region__lineage__overlap=list(actor.regions_where(AUDIT)),
    )


def findings_to_answer(actor: Actor, now: datetime) -> QuerySet[AuditFinding]:
    """Return the open findings that the actor's organisations have to answer."""
    ours = actor.organisations_where("manage-charges")
    return findings_for(actor).filter(organisation__in=ours, state=AuditFinding.State.OPEN)


def _in_region(rows: QuerySet[Any], code: str, by: By) -> QuerySet[Any]:
    ids = list(Region.objects.filter(code=code).values_list("pk", flat=True))
    return rows.filter(region_ids__overlap=ids) if ids else rows.none()


def reported(
    rows: QuerySet[AuditException], region: Region, since: date, until: date
) -> QuerySet[AuditException]:
    """Return the exceptions that a report about a region and the days [since, until) counts: those of the
    organisations of the region, by its clock. What a payer of the region did at a host elsewhere counts
    there, so that the numbers of regions add up."""
    zone = ZoneInfo(region.time_zone)
    return rows.filter(
        organisation__region__lineage__contains=[region.pk],
        happened_at__gte=instant(zone, since, 0),
        happened_at__lt=instant(zone, until, 0),
    )


def _in_report(rows: QuerySet[Any], text: str, by: By) -> QuerySet[Any]:
    code, _, year = text.rpartition(":")
    region = Region.objects.filter(code=code).first()
    if region is None or not (year.isascii() and year.isdecimal() and 2000 <= int(year) <= 2200):
        return rows.none()
    return reported(rows, region, date(int(year), 1, 1), date(int(year) + 1, 1, 1))


def _in_finding(rows: QuerySet[Any], finding_id: UUID, by: By) -> QuerySet[Any]:
    return rows.filter(Q(finding=finding_id) | Q(raised_in=finding_id))


EXCEPTIONS = Listing(
    "exceptions",
    exceptions_for,
    (
        Column("exception", "pk"),
        Column("risk", "risk", _("Risk"), "risk", kind="end"),
        Column("weight", "weight"),
        Column("severity_percent", "share"),
        Column("rule", "rule", _("Exception")),
        Column("rule_version", "rule_version"),
        Column("state", "state", _("State"), "state"),
        Column("happened", "happened_at", _("When"), "happened_at"),
        Column("found", "found_at"),
        Column("organisation", "organisation.code", sort="organisation__name"),
        Column("organisation_name", "organisation.name"),
        Column("numbers", lambda row, by: "; ".join(f"{name}={said}" for name, said in row.numbers.items())),
        Column("evidence", lambda row, by: "; ".join(f"{one['type']}={one['id']}" for one in row.evidence)),
        Column("people", said_people),
        Column("amount", amount_of("amount"), _("Amount"), "amount", kind="end"),
        Column("currency", "currency"),
        Column("reason", "reason"),
        Column("decided", "decided_at"),
        Column("instrument", lambda row, by: row.about and row.about.pk, _("Instrument")),
        Column("instrument_name", lambda row, by: row.about and row.about.name),
    ),
    day="happened_at",
    filters=(
        Filter("rule", "rule", help=", ".join(RULES), most=30),
        Filter("state", "state", CHOICE, _("State"), choices=AuditException.State.choices),
        Filter("organisation", "organisation__code", help="Code of the organisation."),
        Filter("finding", _in_finding, ID, help="The exceptions for which a finding was raised."),
        Filter(
            "report",
            _in_report,
            most=30,
            help="Those that the report of a region and a year counts, such as `CN-AH:2026`.",
        ),
        Filter("region", _in_region, help="Code of a region; the regions within it are included.", most=20),
    ),
    completed=with_details,
)
# Besides the states of a finding what they ask for.
FINDING_STATES = {
    "unclosed": _("not closed"),
    "overdue": _("overdue"),
    "follow_up": _("follow-up due"),
    "replied": AuditFinding.State.REPLIED.label,
    "closed": AuditFinding.State.CLOSED.label,
}
FINDINGS = Listing(
    "findings",
    findings_for,
    (
        Column("finding", "pk", _("Finding")),
        Column("title", "title"),
        Column("severity", "severity", _("Severity")),
        Column("state", "state", _("State"), "state"),
        Column("organisation", "organisation.code", _("Organisation"), "organisation__name"),
        Column("organisation_name", "organisation.name"),
        Column("raised", "raised_at", sort="raised_at"),
        Column("due", "due_date", _("To be answered by"), "due_date"),
        Column("follow_up", "follow_up_date"),
        Column("replied", "replied_at"),
        Column("no_answer", "no_answer"),
        Column("closed", "closed_at"),
        Column("text", "text"),
        Column("reply", "reply"),
        Column("evidence", "evidence"),
    ),
    filters=(
        Filter(
            "state",
            lambda rows, state, by: findings_in(rows, state, by.now),
            CHOICE,
            choices=[*FINDING_STATES.items(), ("open", AuditFinding.State.OPEN.label)],
        ),
    ),
)
