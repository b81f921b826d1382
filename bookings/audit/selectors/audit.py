"""Load in batches what the audit's rules examine, and find what each person may see of the audit."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import AUDITOR, CAPABILITIES, Actor, By
from accounts.models import Membership, Organisation, Region, RoleGrant, TrailEntry
from accounts.selectors.memberships import no_second, place_of
from accounts.selectors.rows import visible
from accounts.selectors.zones import DayIn
from bookings.audit.domain import audit as rules
from bookings.audit.domain.audit import RULES, BookingFacts, Numbers
from bookings.audit.models import AuditException, AuditFinding, AuditRun, AuditSample
from bookings.audit.selectors.comparison import BOOKS, Difference
from bookings.audit.selectors.sampling import drawn_rows
from bookings.charging.selectors.replay import replay_all
from bookings.funding.selectors.programmes import grants_for
from bookings.hours.domain.norms import USUAL_SCHEME, Offered, norm_minutes
from bookings.hours.models import InstrumentDay
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.sums import load_offered
from bookings.pricing.models import Charge, Correction, VoucherGrant
from bookings.pricing.selectors.charges import charges_for
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing
from bookings.record.selectors.reservations import reservations_for
from instruments.managing.selectors.quality import stale_records
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

BATCH = 2000
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
# A transaction that began before the last run may have committed after it.
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True)
class Hit:
    """An exception that a rule has found but that is not stored yet; `evidence`: types and ids of the rows
    behind it."""

    rule: str
    key: str
    numbers: Numbers
    evidence: tuple[tuple[str, UUID], ...]
    organisation_id: UUID
    region_ids: frozenset[UUID]
    happened_at: datetime


# How far the last run had read


def last_run() -> AuditRun | None:
    return AuditRun.objects.order_by("-started_at", "-id").first()


def newest_entry() -> UUID | None:
    return TrailEntry.objects.order_by("-id").values_list("pk", flat=True).first()


def entries_since(last_entry: UUID, patience: timedelta = timedelta()) -> QuerySet[TrailEntry]:
    """Return the entries written since `patience` before an entry. Ids sort by their time of creation."""
    back = int((patience + _MARGIN) / timedelta(milliseconds=1))
    moment = max(0, (last_entry.int >> 80) - back)
    return TrailEntry.objects.filter(pk__gte=uuid.UUID(int=moment << 80))


def touched(before: AuditRun | None) -> tuple[Iterator[Sequence[UUID]], Iterator[Sequence[UUID]]]:
    """Return batches of ids of the reservations and of the charges for which a rule may have another result
    than in the run `before`; all of them if that is None."""
    if before is None or before.last_entry is None:
        return (
            _batches(Reservation.objects.values_list("pk", flat=True)),
            _batches(Charge.objects.values_list("pk", flat=True)),
        )
    recent = entries_since(before.last_entry).values_list("object_id", flat=True)
    patient = entries_since(before.last_entry, rules.PATIENCE).filter(object_type="reservation")
    # Of those touched some days ago only the ones whose use nobody has entered to this day.
    unused = Reservation.objects.filter(pk__in=patient.values("object_id"), state="completed", session=None)
    reservations = recent.filter(object_type="reservation").union(
        unused.values_list("pk", flat=True), _of_new_members(before.started_at - _MARGIN)
    )
    return (
        batched(reservations.order_by("object_id"), BATCH),
        batched(recent.filter(object_type="charge").order_by("object_id").distinct(), BATCH),
    )


def _of_new_members(since: datetime) -> QuerySet[Reservation, UUID]:
    """Return the bookings made by, made for or decided by people who have joined an organisation or got a say
    at one since a moment. Only bookings at hosts where such people have a say, for other payers, are
    returned."""
    grants = RoleGrant.objects.filter(role__in=CAPABILITIES["manage-charges"])
    people = {
        *Membership.objects.filter(started_at__gte=since).values_list("user_id", flat=True),
        *grants.filter(granted_at__gte=since).values_list("user_id", flat=True),
    }
    hosts = grants.filter(user_id__in=people, organisation__isnull=False)
    return Reservation.objects.filter(
        Q(user_id__in=people) | Q(made_by_id__in=people) | Q(decided_by_id__in=people),
        ~Q(organisation_id=F("host_id")),
        host_id__in=set(hosts.values_list("organisation_id", flat=True)),
    ).values_list("pk", flat=True)


def _batches(ids: QuerySet[Any, UUID]) -> Iterator[Sequence[UUID]]:
    """Yield ids in order, in batches. Each batch is a statement of its own, because hits are stored in
    between."""
    ids = ids.order_by("pk")
    batch = list(ids[:BATCH])
    while batch:
        yield batch
        batch = list(ids.filter(pk__gt=batch[-1])[:BATCH])


# What the rules find


def booking_hits(ids: Sequence[UUID], now: datetime) -> Iterator[Hit]:
    """Yield what the rules find about bookings. It takes eight statements, whatever their number."""
    rows = list(
        Reservation.objects.filter(pk__in=ids)
        .exclude(~Q(held_for="") | Q(state="held"))
        .select_related("session")
        .prefetch_related("host_region", "payer_region")  # many bookings share a few regions
    )
    members = _members(rows)
    roles = _roles_at_hosts(rows)
    for row in rows:
        facts = _facts(row, members, roles)
        for code, rule in rules.BOOKING_RULES.items():
            numbers = rule(facts, now)
            if numbers is not None:
                evidence = [("reservation", row.pk)]
                if facts.checked_in_at is not None:
                    evidence.append(("session", row.session.pk))
                yield _hit(code, row.pk, numbers, row, row.start_at, *evidence)


def _hit(
    rule: str,
    key: object,
    numbers: Numbers,
    row: Reservation | Charge,
    at: datetime,
    *evidence: tuple[str, UUID],
) -> Hit:
    """Return a hit of a rule about a reservation or charge, which concerns its host."""
    return Hit(rule, str(key), numbers, evidence, row.host_id, _regions(row), at)


def _regions(row: Any) -> frozenset[UUID]:
    """Return the regions of host and payer of a reservation or charge, with all above them."""
    return frozenset({*row.host_region.lineage, *row.payer_region.lineage})


# Fields with the same name in a booking and in its facts.
SAME = (
    "id", "state", "requested_at", "ended_at", "price_group", "organisation_id", "host_id",
    "user_id", "made_by_id", "decided_by_id",
)  # fmt: skip


def _facts(row: Reservation, members: set[tuple[UUID, UUID]], roles: set[tuple[UUID, UUID]]) -> BookingFacts:
    session = getattr(row, "session", None)
    people = dict.fromkeys(p for p in (row.user_id, row.made_by_id, row.decided_by_id) if p)
    both = (
        p
        for p in people
        if (p, row.organisation_id) in members and (p, row.host_id) in members and (p, row.host_id) in roles
    )
    return BookingFacts(
        **{name: getattr(row, name) for name in SAME},
        start=row.start_at,
        end=row.end_at,
        overrides=tuple(row.overrides),
        checked_in_at=session.checked_in_at if session else None,
        checked_out_at=session.checked_out_at if session else None,
        belongs_to_host=(row.user_id, row.host_id) in members,
        serves_both=tuple(both),
    )


def _people(rows: Iterable[Reservation]) -> set[UUID]:
    return {p for row in rows for p in (row.user_id, row.made_by_id, row.decided_by_id) if p}


def _members(rows: list[Reservation]) -> set[tuple[UUID, UUID]]:
    """Return the pairs of a person and an organisation that they belong or once belonged to: people who left
    may have booked before."""
    organisations = {row.host_id for row in rows} | {row.organisation_id for row in rows}
    return set(
        Membership.objects.filter(user_id__in=_people(rows), organisation_id__in=organisations).values_list(
            "user_id", "organisation_id"
        )
    )


def _roles_at_hosts(rows: list[Reservation]) -> set[tuple[UUID, UUID]]:
    """Return the pairs of a person and a host of which they are manager or finance."""
    return set(
        RoleGrant.objects.filter(
            user_id__in=_people(rows),
            organisation_id__in={row.host_id for row in rows},
            role__in=CAPABILITIES["manage-charges"],
        ).values_list("user_id", "organisation_id")
    )


def charge_hits(ids: Sequence[UUID]) -> Iterator[Hit]:
    """Yield corrections by hand, and charges that differ from their inputs computed again."""
    for correction in Correction.objects.filter(charge_id__in=ids, state="agreed").select_related(
        "charge__host_region", "charge__payer_region"
    ):
        charge = correction.charge
        evidence = [("charge", charge.pk)]
        if correction.replacement_id:
            evidence.append(("charge", correction.replacement_id))
        evidence.append(("reservation", charge.reservation_id))
        assert correction.decided_at is not None
        numbers = rules.manual_correction(
            before=charge.total, after=correction.total, currency=charge.currency
        )
        at = correction.decided_at
        yield _hit("manual-correction", correction.pk, numbers, charge, at, *evidence)
    differing = {
        row.id: [difference.field for difference in row.differences]
        for row in replay_all(charge_ids=ids)
        if row.differences
    }
    for charge in Charge.objects.filter(pk__in=differing).select_related("host_region", "payer_region"):
        fields = rules.other_than_card(differing[charge.pk])
        if fields is not None:
            evidence = [("charge", charge.pk), ("reservation", charge.reservation_id)]
            at = charge.created_at
            yield _hit("other-than-card", charge.pk, fields, charge, at, *evidence)


def usage_hits(ids: Sequence[UUID]) -> Iterator[Hit]:
    """Yield sessions whose recorded times of use were later changed by hand."""
    entries = TrailEntry.objects.filter(object_id__in=ids, action="reservation.usage")
    changes = [(entry, rules.usage_changed(entry.after.get("was"))) for entry in entries]
    changed = {entry.object_id for entry, numbers in changes if numbers}
    rows = Reservation.objects.select_related("host_region", "payer_region").in_bulk(changed)
    for entry, numbers in changes:
        row = rows.get(entry.object_id)
        if numbers is not None and row is not None:
            evidence = (("reservation", row.pk), ("entry", entry.pk))
            yield _hit("manual-correction", entry.pk, numbers, row, entry.at, *evidence)


def known_keys(rule: str) -> frozenset[str]:
    """Return the keys of all exceptions of a rule, so that these are not prepared again."""
    return frozenset(AuditException.objects.filter(rule=rule).values_list("key", flat=True))


def _unknown(differences: Iterable[Difference]) -> list[Difference]:
    """Return the differences for which no exception exists yet. It takes one statement, or none without
    any."""
    by_key = {f"{one.id}:{one.digest}": one for one in differences}
    if not by_key:
        return []
    known = AuditException.objects.filter(rule="books-not-trail", key__in=by_key)
    known_ones = set(known.values_list("key", flat=True))
    return [one for key, one in by_key.items() if key not in known_ones]


def comparison_hits(differences: Sequence[Difference], now: datetime) -> Iterator[Hit]:
    """Yield bookings, charges and statements that differ from the trail, except those that are exceptions
    already. It takes six statements, whatever the number."""
    differences = _unknown(differences)
    if not differences:
        return
    entries = TrailEntry.objects.in_bulk([d.entry for d in differences if d.entry])
    rows: dict[UUID, Any] = {
        row.pk: row
        for kind, (model, _) in BOOKS.items()
        for row in model._default_manager.filter(
            pk__in=[d.id for d in differences if d.kind == kind]
        ).select_related("host_region", "payer_region")
    }
    known = set(
        Organisation.objects.filter(
            pk__in={pk for entry in entries.values() for pk in entry.organisation_ids}
        ).values_list("pk", flat=True)
    )
    for difference in differences:
        row, entry = rows.get(difference.id), entries.get(difference.entry)
        if row is not None:
            organisation, regions = row.host_id, _regions(row)
        elif entry is not None and known & set(entry.organisation_ids):
            organisation = min(known & set(entry.organisation_ids))
            regions = frozenset(entry.region_ids)
        else:
            continue
        evidence = [(difference.kind, difference.id)] if row is not None else []
        if entry is not None:
            evidence.append(("entry", entry.pk))
        yield Hit(
            "books-not-trail",
            f"{difference.id}:{difference.digest}",
            rules.books_not_trail(difference.fields, is_gone=difference.is_gone),
            tuple(evidence),
            organisation,
            regions,
            now,
        )


def day_hits() -> Iterator[Hit]:
    """Yield the rolled-up days on which an instrument was used for longer than it was open. A partial index
    holds only such days."""
    least = RULES["over-open-hours"].parameters["minutes"]
    days = InstrumentDay.objects.filter(
        productive_minutes__gt=F("open_minutes")  # the index's own condition, so that it is used
    ).filter(productive_minutes__gt=F("open_minutes") + least)
    columns = ("instrument_id", "date", "productive_minutes", "open_minutes")
    known = known_keys("over-open-hours")
    with transaction.atomic():  # the cursor lasts as long as the transaction
        rows = [
            row
            for row in days.order_by("instrument_id", "date").values_list(*columns).iterator(BATCH)
            if f"{row[0]}:{row[1]}" not in known
        ]
    instruments = {one.pk: one for one in _instruments(dict.fromkeys(row[0] for row in rows))}
    for pk, day, productive, open_minutes in rows:
        numbers = rules.over_open_hours(productive=productive, open_minutes=open_minutes)
        if numbers is not None:
            yield _instrument_hit(
                "over-open-hours",
                f"{pk}:{day}",
                numbers | {"day": day.isoformat()},
                instruments[pk],
                datetime.fromisoformat(f"{day}T12:00:00+00:00"),
            )


def _instrument_hit(rule: str, key: str, numbers: Numbers, instrument: Instrument, at: datetime) -> Hit:
    return Hit(
        rule,
        key,
        numbers,
        (("instrument", instrument.pk),),
        instrument.organisation_id,
        frozenset(instrument.region.lineage),
        at,
    )


def grant_hits(now: datetime) -> Iterator[Hit]:
    least = RULES["voucher-near-cap"].parameters["percent"]
    grants = VoucherGrant.objects.filter(
        amount__gt=F("transferred"),
        held__gte=(F("amount") - F("transferred")) * Decimal(least) / 100 - F("redeemed"),
    )
    for grant in grants.select_related("organisation__region", "programme__region"):
        numbers = rules.voucher_near_cap(
            amount=grant.amount - grant.transferred,
            held=grant.held,
            redeemed=grant.redeemed,
            currency=grant.programme.currency,
        )
        if numbers is not None:
            yield Hit(
                "voucher-near-cap",
                str(grant.pk),
                numbers,
                (("grant", grant.pk),),
                grant.organisation_id,
                frozenset({*grant.organisation.region.lineage, *grant.programme.region.lineage}),
                now,
            )


def stale_hits(now: datetime) -> Iterator[Hit]:
    before = known_keys("stale-listing")
    rows = stale_records(now).values_list("pk", "confirmed_at", "updated_at")
    with transaction.atomic():
        unknown = [
            pk
            for pk, *moments in rows.order_by().iterator(BATCH)
            if f"{pk}:{max(m for m in moments if m).date()}" not in before
        ]
    for instrument in _instruments(unknown):
        known = max(m for m in (instrument.confirmed_at, instrument.updated_at) if m)
        numbers = rules.stale_listing(confirmed_at=known, now=now)
        if numbers is not None:
            # A record confirmed and stale again is a new exception.
            key = f"{instrument.pk}:{known.date()}"
            yield _instrument_hit("stale-listing", key, numbers, instrument, known)


def _instruments(ids: Iterable[UUID]) -> Iterator[Instrument]:
    """Load instruments with the fields that an exception needs, in batches."""
    for batch in batched(ids, BATCH):
        yield from Instrument.objects.filter(pk__in=batch).select_related("region")


def norm_hits(now: datetime) -> Iterator[Hit]:
    """Yield instruments whose effective hours of the last year are far from the norm for their days on offer
    in it, except those that have this year's exception already."""
    today = now.date()
    since = today - timedelta(days=rules.YEAR)
    least = RULES["hours-far-from-norm"].parameters["days"]
    published = Instrument.objects.filter(
        publication="published", published_at__lte=now - timedelta(days=least)
    )
    known = known_keys("hours-far-from-norm")
    with transaction.atomic():
        rows = published.order_by().values_list("pk", flat=True).iterator(BATCH)
        ids = [pk for pk in rows if f"{pk}:{today.year}" not in known]
    effective = _effective(ids, since, today)
    # For more instruments, all rows are read in one go.
    few = published.filter(pk__in=ids) if len(ids) <= BATCH else published
    offered = load_offered(few, since, today, ["instrument"])
    norms = load_norms(USUAL_SCHEME)

    @cache
    def norm(spans: tuple[Offered, ...]) -> int:
        return norm_minutes(spans, norms)

    hits = {}
    for pk in ids:
        spans = offered.get((pk,), [])
        numbers = rules.hours_far_from_norm(
            effective=effective.get(pk, 0),
            norm=norm(tuple(spans)),
            days=sum((span.until - span.since).days for span in spans),
        )
        if numbers is not None:
            hits[pk] = numbers
    for instrument in _instruments(hits):
        key = f"{instrument.pk}:{today.year}"
        yield _instrument_hit("hours-far-from-norm", key, hits[instrument.pk], instrument, now)


def _effective(ids: Sequence[UUID], since: date, until: date) -> dict[UUID, int]:
    """Return the effective minutes of instruments on the days [since, until)."""
    days = InstrumentDay.objects.filter(date__gte=since, date__lt=until)
    if len(ids) <= BATCH:  # for more instruments, all days are read in one go
        days = days.filter(instrument_id__in=ids)
    return dict(days.values_list("instrument_id").annotate(Sum("productive_minutes")))


# Who sees what


def exceptions_for(actor: Actor) -> QuerySet[AuditException]:
    """Return the exceptions of the regions that the actor audits and all below them, newest first; none for
    others."""
    regions = list(actor.regions_where(AUDIT))
    return (
        AuditException.objects.filter(region_ids__overlap=regions)
        .select_related("organisation", "decided_by")
        .order_by("-happened_at", "-id")
    )


def exception_for(actor: Actor, exception_id: UUID) -> AuditException:
    """Return an exception; `NotFound` if there is none or the actor may not see it."""
    return visible(exceptions_for(actor), pk=exception_id)


def with_instruments(rows: list[Any]) -> list[Any]:
    """Set `about` on exceptions: the instrument that their evidence concerns, which is the evidence itself or
    the instrument of a booking or charge; None if the evidence is a grant or is gone. Two statements."""
    behind = {row.pk: [UUID(item["id"]) for item in row.evidence] for row in rows}
    ids = set().union(*behind.values())
    bookings = Reservation.objects.filter(pk__in=ids).values_list("pk", "instrument_id")
    charges = Charge.objects.filter(pk__in=ids).values_list("pk", "reservation__instrument_id")
    instrument_ids = {pk: pk for pk in ids} | dict(bookings.union(charges, all=True))
    instruments = Instrument.objects.in_bulk(instrument_ids.values())
    for row in rows:
        found = (instruments.get(instrument_ids[pk]) for pk in behind[row.pk])
        row.about = next(filter(None, found), None)
    return rows


def own_records(actor: Actor, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of the records are the actor's own case: bookings that are for them, or that they made or
    decided on, and every record on which they ever acted according to the trail (proposed a correction,
    displaced it, entered it). It takes one statement. A second account of the same person cannot be
    recognised."""
    person, ids = actor.person, list(ids)
    booked = Q(user_id=person) | Q(made_by_id=person) | Q(decided_by_id=person)
    bookings = Reservation.objects.filter(booked, pk__in=ids).values_list("pk")
    acted_on = TrailEntry.objects.filter(actor_id=person, object_id__in=ids)
    return frozenset(pk for (pk,) in bookings.union(acted_on.values_list("object_id")))


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
    behind = {row.pk: {row.pk, getattr(row, "reservation_id", row.pk)} for row in drawn}
    own = own_records(actor, set().union(*behind.values()))
    return frozenset(pk for pk, ids in behind.items() if ids & own)


def own_findings(actor: Actor, rows: Iterable[AuditFinding]) -> frozenset[UUID]:
    """Return the findings that another auditor must decide: those about an exception or a sample of the
    actor's own, and those that the actor answered. It takes two statements for an auditor, and two more per
    sample."""
    findings = list(rows)
    if not actor.has(AUDITOR) or not findings:
        return frozenset()
    exceptions = AuditException.objects.filter(finding__in=findings)
    samples = AuditSample.objects.filter(findings__in=findings).distinct().defer("population")
    own = own_exceptions(actor, exceptions) | own_samples(actor, samples)
    return frozenset(
        row.pk
        for row in findings
        if own & {row.exception_id, row.sample_id} or row.replied_by_id == actor.person
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
    """Return the findings in the regions that the actor audits, and those that the actor's organisations have
    to answer; newest first."""
    return (
        AuditFinding.objects.filter(
            Q(region_ids__overlap=list(actor.regions_where(AUDIT)))
            | Q(organisation_id__in=actor.organisations_where("manage-charges"))
        )
        .select_related("organisation__region", "raised_by", "replied_by", "closed_by")
        .order_by("-raised_at", "-id")
    )


def finding_day(row: AuditFinding, now: datetime) -> date:
    """Return today's date where the organisation is that has to answer the finding."""
    return local_date(ZoneInfo(row.organisation.region.time_zone), now)


def is_finding_overdue(row: AuditFinding, now: datetime) -> bool:
    """Return whether the day by which the finding has to be answered is over, in the organisation's time
    zone."""
    return row.state == "open" and row.due_date < finding_day(row, now)


def findings_in(rows: QuerySet[AuditFinding], state: str, now: datetime) -> QuerySet[AuditFinding]:
    """Return the findings in a state, or that are `unclosed` or `overdue`, the first to fall due first; with
    an empty state, all."""
    if state == "overdue":
        today = DayIn(now, "organisation__region__time_zone")
        return rows.filter(state="open", due_date__lt=today).order_by("due_date", "id")
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


EXCEPTIONS = Listing(
    "exceptions",
    exceptions_for,
    (
        Column("exception", "pk"),
        Column("rule", "rule", _("Exception")),
        Column("rule_version", "rule_version"),
        Column("state", "state", _("State"), "state"),
        Column("happened", "happened_at", _("When"), "happened_at"),
        Column("found", "found_at"),
        Column("organisation", "organisation.code", sort="organisation__name"),
        Column("organisation_name", "organisation.name"),
        Column("numbers", lambda row, by: "; ".join(f"{name}={said}" for name, said in row.numbers.items())),
        Column("evidence", lambda row, by: "; ".join(f"{one['type']}={one['id']}" for one in row.evidence)),
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
        Filter("region", _in_region, help="Code of a region; the regions within it are included.", most=20),
    ),
    completed=with_instruments,
)
# Besides the states of a finding what they ask for.
FINDING_STATES = {
    "unclosed": _("not closed"),
    "overdue": _("overdue"),
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
        Column("replied", "replied_at"),
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
