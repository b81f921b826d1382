"""Importing a calendar that was kept elsewhere.

A file of at most a thousand rows is one transaction: all that is to be booked, or nothing. A process that
dies half-way has booked nothing, and a file sent twice books once, since its rows are recognised by their
references.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotPermitted, Refused, invalid
from accounts.domain.file_names import file_name_of
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.notifications import Effect
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code, payer_for
from accounts.selectors.users import person_named
from bookings.availability.domain.availability import too_far
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import demand_lacking, guarded
from bookings.plans.adapters.tables import read_table
from bookings.plans.domain import imports
from bookings.plans.locks import lock_imports
from bookings.plans.models import BookingImport, ImportedBooking
from bookings.plans.selectors.imports import Named, load_named, load_references
from bookings.pricing.selectors.fees import first_mode, load_backings
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from bookings.reserving.selectors.placing import Place, require_unblocked
from bookings.reserving.selectors.weighing import Weighing
from bookings.reserving.services.occupancy import lineage_of
from bookings.reserving.services.placing import (
    answers_owe_at_booking,
    first_state,
    lapse_due,
    parties_of,
    reservation_put,
)
from bookings.series.services.series import reminders_of, series_tell
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.delimited import FileRefused
from instruments.register.locks import lock_instruments
from instruments.register.models import Instrument

# A row that began longer ago is refused without a look at the calendar of that time.
LONG_AGO = timedelta(days=1)
# The number of refused rows for which the nearest allowed time is looked for: in a full calendar that takes
# 20 ms a row, while the instruments are locked.
MOST_NEAREST = 100


@dataclass(frozen=True)
class _Read:
    """A row that could be read: the instrument, period and details of the requested booking."""

    row: imports.ImportRow
    instrument: Instrument
    period: Period
    details: imports.Details
    digest: str


@dataclass(frozen=True)
class _Passing:
    """A row that will be booked, with everything needed to book it."""

    booking: Booking
    parties: Parties
    instrument: Instrument
    place: Place
    state: str
    deadline: datetime | None
    reference: str
    digest: str
    line: int


@dataclass
class _Run:
    """One file being imported, with what is known of it so far."""

    actor: Actor
    payer: Organisation
    table: imports.Table
    now: datetime
    outcomes: list[imports.Outcome] = field(default_factory=list)
    passing: list[_Passing] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    parties: dict[tuple[str, UUID], Parties | Refused] = field(default_factory=dict)
    blocked: dict[tuple[UUID, UUID], tuple[Refusal, ...]] = field(default_factory=dict)
    explained: int = 0  # refused rows for which the nearest time was looked for

    @property
    def report(self) -> imports.ImportReport:
        return imports.ImportReport(tuple(self.outcomes), self.table.ignored, self.table.sha256)


def bookings_import(
    by: By,
    *,
    content: bytes,
    file_name: str,
    organisation: str | None,
    on_refused: str = imports.REFUSE,
    dry_run: bool = False,
    encoding: str = "utf-8",
) -> imports.ImportReport:
    """Book the rows of a file, for the payer with a code (None: the actor's only organisation), each by the
    rules and permissions of a single booking, counting the rows before it. A person named in a row must be
    somebody for whom the actor may book (`parties_of`); rules cannot be overridden.

    on_refused: `refuse` books all rows or none and raises `RowsRefused` with every row's outcome; `skip`
    books those that pass and raises `RowsRefused` only if no row is or was booked. dry_run: returns the same
    outcomes, but locks and writes nothing. Raises `Invalid` (`file`) if the file is no table of bookings.
    """
    if on_refused not in imports.ON_REFUSED:
        raise invalid("on_refused", "unknown-choice", allowed=", ".join(imports.ON_REFUSED))
    payer = _payer(by.actor, organisation)
    try:
        table = read_table(content, encoding=encoding)
    except FileRefused as refused:
        raise invalid("file", refused.code, **refused.numbers) from None
    run = _Run(by.actor, payer, table, by.now)
    if dry_run:
        _judge(run, lock=False)
        return run.report
    try:
        with guarded():
            _judge(run, lock=True)
            report = run.report
            is_void = not report.booked and not report.unchanged
            if report.refused and (on_refused == imports.REFUSE or is_void):
                raise imports.RowsRefused(report)
            report = _store(run, file_name)
    except (imports.RowsRefused, RulesRefuse):
        _remember(run)
        raise
    _remember(run)
    return report


def _payer(actor: Actor, organisation: str | None) -> Organisation:
    """Return the organisation for which the actor may book, for themselves or for others."""
    if organisation:
        payer = organisation_by_code(organisation)
        if actor.may("book-for-members", place_of(payer)):
            return payer
    own = payer_for(actor, organisation)
    if own is None:
        raise invalid("organisation", "organisation-needed")
    if not actor.may("book-for-members", place_of(own)):
        require(actor, "book", place_of(own))
    return own


# Judging


def _judge(run: _Run, *, lock: bool) -> None:
    """Determine the outcome of every row of an imported file, in its order."""
    if lock:
        lock_imports(run.payer.pk)
    named = load_named(run.actor, {row.text("instrument") for row in run.table.rows})
    rows = [_read(run, named, row) for row in run.table.rows]
    read = [each for each in rows if isinstance(each, _Read)]
    instruments = {each.instrument.pk: each.instrument for each in read}
    if lock:
        instruments = {i.pk: i for i in lock_instruments(instruments)}
        for instrument in instruments.values():
            lapse_due(instrument, run.now)
    references = iter(imports.references_of((r.row.text("reference"), r.digest) for r in read))
    keyed = [(each, next(references) if isinstance(each, _Read) else "") for each in rows]
    known = load_references(run.payer, [key for _, key in keyed if key])
    payer = run.payer
    weighing = Weighing(
        payer,
        _spans(read, instruments, run.now),
        load_backings([payer], instruments=instruments.values(), lock=lock)[payer.pk],
        run.now,
    )
    for each, reference in keyed:
        if isinstance(each, imports.Outcome):
            run.outcomes.append(each)
            continue
        outcome = _outcome(each, imports.Result.UNCHANGED, reference)
        try:
            if not known.is_known(each.row.line, reference, each.digest):
                here = replace(each, instrument=instruments[each.instrument.pk])
                outcome = _weigh(run, weighing, here, reference)
        except Refused as refused:
            problems = _problems(refused, each.details.person)
            outcome = replace(outcome, result=imports.Result.REFUSED, problems=problems)
        run.outcomes.append(outcome)


def _read(run: _Run, named: Named, row: imports.ImportRow) -> _Read | imports.Outcome:
    problems: list[FieldProblem] = []
    if row.problem is not None:
        problems = [FieldProblem("", row.problem.reason, row.problem.numbers)]
        return imports.Outcome(row.line, imports.Result.REFUSED, problems=tuple(problems))
    instrument = period = details = None
    try:
        instrument = named.one(row.text("instrument"))
    except Invalid as error:
        problems += error.problems
    # Without an instrument the time is only checked for its format.
    zone = ZoneInfo(instrument.facility.time_zone if instrument else "UTC")
    try:
        period = imports.period_of(row, zone)
    except Invalid as error:
        problems += error.problems
    try:
        details = imports.details_of(row)
    except Invalid as error:
        problems += error.problems
    if instrument is None or period is None or details is None:
        return imports.Outcome(
            row.line,
            imports.Result.REFUSED,
            row.text("reference"),
            row.text("instrument"),
            instrument.pk if instrument else None,
            period if instrument else None,
            problems=tuple(problems),
        )
    person = _person(run, details.person)
    digest = imports.digest_of(instrument.pk, period, person or str(run.actor.person))
    return _Read(row, instrument, period, replace(details, person=person), digest)


def _person(run: _Run, named: str) -> str:
    """Return the person an imported row is for; empty if that is the importer."""
    if named and named not in run.named:
        user = person_named(named)
        is_own = user is not None and user.pk == run.actor.person
        run.named[named] = "" if is_own else named
    return run.named.get(named, "")


def _spans(
    read: Sequence[_Read], instruments: dict[UUID, Instrument], now: datetime
) -> Iterator[tuple[Instrument, Period]]:
    """Yield each instrument with the span of the rows for it, not counting rows too far away to need a
    calendar."""
    for pk, instrument in instruments.items():
        periods = [r.period for r in read if r.instrument.pk == pk and _is_near(r.period, now)]
        first = min((p.start for p in periods), default=now)
        last = max((p.end for p in periods), default=now)
        yield instrument, Period(first, max(last, first + timedelta(minutes=1)))


def _is_near(period: Period, now: datetime) -> bool:
    return now - LONG_AGO <= period.start <= now + timedelta(days=imports.MOST_DAYS)


def _outcome(read: _Read, result: imports.Result, reference: str) -> imports.Outcome:
    name = read.row.text("instrument")
    return imports.Outcome(read.row.line, result, reference, name, read.instrument.pk, read.period)


def _blocked(run: _Run, instrument: Instrument, person: UUID) -> tuple[Refusal, ...]:
    """Return the refusal if the host blocks the person or the payer; it is asked once for each of them."""
    key = (instrument.pk, person)
    if key not in run.blocked:
        try:
            require_unblocked(run.actor, instrument, person, run.payer.pk, run.now)
            run.blocked[key] = ()
        except RulesRefuse as refusal:
            run.blocked[key] = tuple(refusal.refusals)
    return run.blocked[key]


def _weigh(run: _Run, weighing: Weighing, read: _Read, reference: str) -> imports.Outcome:
    """Judge a row by permissions and rules. Raises `Refused` for a missing permission, or if there is no
    price."""
    instrument, details, period = read.instrument, read.details, read.period
    parties = _parties(run, instrument, details.person)
    refused = replace(_outcome(read, imports.Result.REFUSED, reference), person=parties.person)
    if blocked := _blocked(run, instrument, parties.person):
        return replace(refused, refusals=blocked)
    if not _is_near(period, run.now):
        return replace(refused, refusals=_far(instrument, weighing, period, run.now))
    mode = details.service_mode or first_mode(instrument, weighing.terms(instrument, period.start))
    if mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    booking = Booking(
        instrument_id=instrument.pk,
        period=period,
        organisation=run.payer.code,
        service_mode=mode,
        purpose=details.purpose,
        purpose_text=details.subject,
        samples=details.samples,
        options=details.options,
        quantity=details.quantity,
        on_behalf_of=details.person,
    )
    weighed = weighing.weigh(
        instrument, parties.person, booking.enquiry, nearest=run.explained < MOST_NEAREST
    )
    if weighed.place is None:
        run.explained += 1
        return replace(refused, refusals=weighed.refusals, quote=weighed.quote)
    state, deadline = first_state(By(run.actor, run.now), parties, instrument, period)
    run.passing.append(
        _Passing(
            *(booking, parties, instrument, weighed.place, state, deadline),
            *(reference, read.digest, read.row.line),
        )
    )
    return replace(
        refused,
        result=imports.Result.BOOKED,
        needs_approval=state == Reservation.State.REQUESTED,
        quote=weighed.quote,
    )


def _far(instrument: Instrument, weighing: Weighing, period: Period, now: datetime) -> tuple[Refusal, ...]:
    """Return the refusal of an imported row that is further away than any rule allows."""
    if not hasattr(instrument, "policy"):
        return (Refusal("not-published"),)
    if period.start < now:  # whatever the notice, it is in the past
        return (Refusal("too-soon", {"notice_minutes": 0}),)
    policy = load_policy(instrument.policy)
    group = weighing.terms(instrument, period.start).price_group
    zone = ZoneInfo(instrument.facility.time_zone)
    return (too_far(policy.horizon_for(group), now, zone),)


def _parties(run: _Run, instrument: Instrument, person: str) -> Parties:
    """Return the person and the payer of a row, determined as for a single booking, once for each instrument
    and person."""
    key = (person, instrument.pk)
    if key not in run.parties:
        booking = Booking(
            instrument.pk, Period(run.now, run.now + LONG_AGO), run.payer.code, "",
            on_behalf_of=person,
        )  # fmt: skip
        try:
            run.parties[key] = parties_of(run.actor, booking)
        except Refused as refused:
            run.parties[key] = refused
    parties = run.parties[key]
    if isinstance(parties, Refused):
        raise parties
    return parties


_COLUMN = {"on_behalf_of": "person", "organisation": "person"}


def _problems(refused: Refused, person: str) -> tuple[FieldProblem, ...]:
    """Return the refusal of one row as problems by column."""
    if isinstance(refused, NotPermitted):
        return (FieldProblem("person", "not-for-others" if person else "not-for-yourself"),)
    if isinstance(refused, Invalid):
        return tuple(FieldProblem(_COLUMN.get(p.field, p.field), p.code, p.numbers) for p in refused.problems)
    return (FieldProblem("", refused.code, refused.numbers),)


# Storing


def _store(run: _Run, file_name: str) -> imports.ImportReport:
    """Book the rows that pass, and return the report; nothing is written for a file that contains nothing
    new."""
    report = run.report
    if not run.passing:
        return report
    booking_import = BookingImport.objects.create(
        organisation=run.payer,
        user_id=run.actor.person,
        file_name=file_name_of(file_name),
        sha256=report.sha256,
        booked=report.booked,
        unchanged=report.unchanged,
        refused=report.refused,
        created_at=run.now,
    )
    booked = [_put(run, each, booking_import) for each in run.passing]
    ImportedBooking.objects.bulk_create(
        ImportedBooking(
            reservation=reservation,
            run=booking_import,
            organisation=run.payer,
            reference=each.reference,
            digest=each.digest,
            line=each.line,
        )
        for each, reservation in zip(run.passing, booked, strict=True)
    )
    hosts = {r.host_id for r in booked}
    regions = {pk for r in booked for pk in lineage_of(r)}
    trail.record(
        By(run.actor, run.now),
        "bookings.import",
        booking_import,
        after={
            "sha256": report.sha256,
            "booked": report.booked,
            "unchanged": report.unchanged,
            "refused": report.refused,
            "reservations": [r.pk for r in booked],
        },
        places=([run.payer.pk, *hosts], regions),
    )
    _tell(booked, run.now)
    lines = {each.line: r.pk for each, r in zip(run.passing, booked, strict=True)}
    return replace(report, id=booking_import.pk, reservation_ids=lines)


def _put(run: _Run, each: _Passing, booking_import: BookingImport) -> Reservation:
    reservation = reservation_put(
        By(run.actor, run.now),
        parties=each.parties,
        booking=each.booking,
        instrument=each.instrument,
        place=each.place,
        state=each.state,
        deadline=each.deadline,
        recorded={"import": booking_import.pk, "line": each.line},
    )
    answers_owe_at_booking(each.instrument, reservation, run.now)
    return reservation


def _tell(booked: Sequence[Reservation], now: datetime) -> None:
    """Enqueue one message for each person and instrument of an import, however many bookings there are, and
    the reminders."""
    together: dict[tuple[UUID, UUID], list[Reservation]] = {}
    for reservation in booked:
        key = (reservation.user_id, reservation.instrument_id)
        together.setdefault(key, []).append(reservation)
    for rows in together.values():
        effects: list[Effect] = [effect for row in rows for effect in reminders_of(row, now)]
        series_tell(rows, "imported", now, effects)


def _remember(run: _Run) -> None:
    """Record the rows of an import that were refused as unmet demand."""
    refused = [(o.instrument, o.period, o.refusals) for o in run.outcomes]
    demand_lacking(
        By(run.actor, run.now),
        organisation=run.payer,
        refused=[(pk, period, refusals) for pk, period, refusals in refused if pk and period],
    )
