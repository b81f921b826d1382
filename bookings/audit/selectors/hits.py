"""Load in batches what the audit's rules examine, and find their hits."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from accounts.domain.roles import CAPABILITIES
from accounts.models import Membership, Organisation, RoleGrant, TrailEntry
from bookings.audit.domain import audit as rules
from bookings.audit.domain.audit import RULES, BookingFacts, Numbers
from bookings.audit.models import AuditException, AuditRun
from bookings.audit.selectors.comparison import BOOKS, Difference
from bookings.charging.selectors.replay import replay_all
from bookings.hours.domain.norms import USUAL_SCHEME, Offered, norm_minutes
from bookings.hours.models import InstrumentDay
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.sums import load_offered
from bookings.pricing.models import Charge, Correction, VoucherGrant
from bookings.pricing.selectors.charges import IN_FORCE
from bookings.record.models import Reservation
from instruments.managing.selectors.quality import stale_records
from instruments.register.models import Instrument

BATCH = 2000
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
    "user_id", "made_by_id", "decided_by_id", "struck",
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
        if charge.reservation_id:
            evidence.append(("reservation", charge.reservation_id))
        assert correction.decided_at is not None
        numbers = rules.manual_correction(
            before=charge.total, after=correction.total, currency=charge.currency
        )
        at = correction.decided_at
        yield _hit("manual-correction", correction.pk, numbers, charge, at, *evidence)
    yield from _struck_hits(ids)
    differing = {
        row.id: [(one.field, one.stored, one.recomputed) for one in row.differences]
        for row in replay_all(charge_ids=ids)
        if row.differences
    }
    for charge in Charge.objects.filter(pk__in=differing).select_related("host_region", "payer_region"):
        again = rules.other_than_card(differing[charge.pk], charge.currency)
        if again is not None:
            evidence = [("charge", charge.pk)]
            if charge.reservation_id:
                evidence.append(("reservation", charge.reservation_id))
            at = charge.created_at
            yield _hit("other-than-card", charge.pk, again, charge, at, *evidence)


def _struck_hits(ids: Sequence[UUID]) -> Iterator[Hit]:
    """Yield charges that were taken back without a second person: of no-shows that a host's manager removed,
    and of places in courses whose result became `absent`."""
    alone = Q(kind="no_show", reservation__struck__gt="") | Q(kind="training")
    struck = Charge.objects.filter(alone, pk__in=ids, state="reversed", final_at__isnull=False)
    for charge in struck.exclude(corrections__state="agreed").select_related("host_region", "payer_region"):
        assert charge.final_at is not None
        of = {"reservation_id": charge.reservation_id, "enrolment_id": charge.enrolment_id}
        now = Charge.objects.filter(IN_FORCE, **of).first()
        evidence = [("charge", row.pk) for row in (charge, now) if row]
        after = now.total if now else Decimal(0)
        numbers = rules.manual_correction(before=charge.total, after=after, currency=charge.currency)
        if charge.reservation_id:
            evidence.append(("reservation", charge.reservation_id))
        yield _hit("manual-correction", charge.pk, numbers, charge, charge.final_at, *evidence)


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
