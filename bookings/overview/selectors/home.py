"""What waits for a person in every part of the platform, counted once for their home and for the
navigation; and what their home shows besides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db.models import Exists, OuterRef

from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, MANAGER, Actor
from accounts.selectors.joining import requests_to_decide_on
from accounts.selectors.organisations import organisation_requests_to_decide
from bookings.audit.models import AuditException, AuditFinding
from bookings.audit.selectors.audit import exceptions_for, findings_for, findings_in
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import live, to_range
from bookings.board.selectors.alarms import alarms_to_answer
from bookings.catalogue.selectors.calendars import Entry, load_board
from bookings.conversation.selectors.threads import threads_waiting
from bookings.needs.selectors.batches import own_offers
from bookings.overview.selectors.money import (
    KINDS,
    TO_WATCH,
    Kind,
    Waiting,
    anybody,
    load_waiting,
    may,
)
from bookings.plans.selectors.waiting import offers_to
from bookings.questions.selectors.questions import sheets_owed
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import own_reservations, requests_to_decide
from bookings.reserving.selectors.requests import Band, bands_of
from bookings.reviews.selectors.cases import (
    cases_to_decide,
    opinions_to_give,
    pledges_to_answer,
)
from bookings.usage.selectors.faults import faults_to_decide
from instruments.models import Instrument
from instruments.selectors.capabilities import questions_to_answer
from instruments.selectors.registry import managed_instruments
from instruments.selectors.training import own_running_out, results_to_record

# For so many seconds a count may be older than what it counts, where somebody else acted.
KEPT = 60
# What nobody has to do anything about today: findings that others have to answer, and money's.
WATCHED = TO_WATCH | {"overdue"}


def _audits(actor: Actor) -> bool:
    return actor.has(AUDITOR)


# Beside money, in the order of their urgency. A new part of the platform adds its kind here, its
# list and its words in templatetags/money.py, and its place in the navigation
# (config/pages/context.py).
WORK: dict[str, Kind] = {
    "offers": Kind(
        anybody,
        lambda actor, now: offers_to(actor.person, now),
        "reservation__state",
        until="reservation__deadline_at",
    ),
    "places": Kind(anybody, own_offers, "reservation__state", until="reservation__deadline_at"),
    "requests": Kind(may("manage-instruments"), requests_to_decide, "state", until="deadline_at"),
    "conversations": Kind(anybody, lambda actor, now: threads_waiting(actor), "waits_for"),
    "faults": Kind(may("manage-instruments"), faults_to_decide, "state"),
    "alarms": Kind(
        lambda actor: actor.has(MANAGER) or actor.has(COORDINATOR), alarms_to_answer, "state"
    ),
    "questions": Kind(
        may("manage-instruments"),
        lambda actor, now: questions_to_answer(actor),
        "answered_at",
    ),
    "pledges": Kind(
        may("manage-instruments"),
        lambda actor, now: pledges_to_answer(actor),
        "answer",
        due="due_on",
    ),
    "reviews": Kind(
        lambda actor: actor.has(COORDINATOR),
        lambda actor, now: cases_to_decide(actor),
        "state",
        due="due_on",
    ),
    "opinions": Kind(anybody, lambda actor, now: opinions_to_give(actor), "barred"),
    "joining": Kind(
        lambda actor: actor.has(MANAGER) or actor.has(ADMINISTRATOR),
        lambda actor, now: requests_to_decide_on(actor),
        "state",
    ),
    "organisations": Kind(
        lambda actor: actor.has(COORDINATOR) or actor.has(ADMINISTRATOR),
        lambda actor, now: organisation_requests_to_decide(actor),
        "state",
    ),
    "results": Kind(lambda actor: bool(actor.organisations), results_to_record, "state"),
    "exceptions": Kind(
        _audits,
        lambda actor, now: exceptions_for(actor).filter(state=AuditException.State.OPEN),
        "state",
    ),
    "replies": Kind(
        _audits,
        lambda actor, now: findings_for(actor).filter(state=AuditFinding.State.REPLIED),
        "state",
        due="due_date",
    ),
    "overdue": Kind(
        _audits,
        lambda actor, now: findings_in(findings_for(actor), "overdue", now.date()),
        "state",
        due="due_date",
    ),
    "answers": Kind(
        anybody,
        lambda actor, now: sheets_owed(actor),
        "state",
    ),
    "certificates": Kind(anybody, own_running_out, "revoked_at", due="valid_until"),
}


def load_work(actor: Actor, now: datetime) -> list[Waiting]:
    """Everything that waits for somebody, money included; the counts of the navigation are from now
    on these. One statement."""
    waiting = load_waiting(actor, now, WORK | KINDS)
    counts = {each.what: each.number for each in waiting}
    cache.set(_key(actor), (_rights(actor), counts), KEPT)
    return waiting


def load_counts(actor: Actor, now: datetime, *, anew: bool = False) -> dict[str, int]:
    """Return how much of each kind waits for somebody. Kept for `KEPT` seconds, until the person
    acts (`counts_forget`) or holds other roles; counted `anew` where a page lists the same rows.
    One statement at most."""
    kept = None if anew else cache.get(_key(actor))
    if kept and kept[0] == _rights(actor):
        counts: dict[str, int] = kept[1]
        return counts
    return {each.what: each.number for each in load_work(actor, now)}


def counts_forget(user_id: object) -> None:
    """Whoever acts is shown new counts on the next page."""
    cache.delete(f"waits-for-{user_id}")


def _key(actor: Actor) -> str:
    return f"waits-for-{actor.person}"


def _rights(actor: Actor) -> tuple[frozenset[object], frozenset[object]]:
    return frozenset(actor.grants), frozenset(actor.organisations)


def last_used(actor: Actor, most: int) -> list[Instrument]:
    """Return the instruments the actor used last that can still be booked, the last first. One
    statement."""
    rows = own_reservations(actor).filter(
        state=Reservation.State.COMPLETED, instrument__publication="published"
    )
    used = {row.instrument_id: row.instrument for row in rows[: most * 10]}
    return list(used.values())[:most]


@dataclass(frozen=True)
class Today:
    """A managed instrument on a day: what takes it, as bands in percent of the day, what of it
    takes it at the moment, and what comes next."""

    instrument: Instrument
    bands: tuple[Band, ...]
    now: Entry | None
    next: Entry | None


def load_today(actor: Actor, day: Period, now: datetime, most: int) -> list[Today]:
    """Return the published instruments the actor manages, first those that something takes on the
    day. Four statements."""
    taken = Occupancy.objects.filter(
        live(now), instrument=OuterRef("pk"), span__overlap=to_range(day)
    )
    rows = managed_instruments(actor).filter(publication=Instrument.Publication.PUBLISHED)
    chosen = list(rows.annotate(is_taken=Exists(taken)).order_by("-is_taken", "name", "id")[:most])
    slots = []
    for row in load_board(actor, chosen, day, now):
        entries = [entry for entry in row.entries if entry.period.end > now]
        here = next((entry for entry in entries if entry.period.start <= now), None)
        after = next((entry for entry in entries if entry.period.start > now), None)
        bands = tuple(_bands(row.opened, row.entries, day))
        slots.append(Today(row.instrument, bands, here, after))
    return slots


def _bands(opened: Iterable[Period], entries: Iterable[Entry], day: Period) -> Iterable[Band]:
    for period in opened:
        yield from bands_of("open", period.start, period.end, day)
    for entry in entries:
        kind = "closure" if entry.closure_kind else "taken"
        yield from bands_of(kind, entry.period.start, entry.period.end, day)
