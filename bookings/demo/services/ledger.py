"""Collect the rows of past use and store them in bulk, with the trail that the services would have left:
several entries per reservation, each at its own moment."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from accounts import trail
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models.copying import rows_copy
from accounts.trail import Change
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import to_range
from bookings.charging.domain.ledger import charge_postings
from bookings.charging.models import LedgerEntry, Posting
from bookings.charging.services.charges import charge_recorded, charge_row
from bookings.charging.services.ledger import posting_rows
from bookings.demo.services.fates import Fate
from bookings.funding.models import Earmark
from bookings.pricing.domain import fees
from bookings.pricing.domain.charges import Ending, charge
from bookings.pricing.domain.quotes import QuoteInput, input_to_json, quote_to_json
from bookings.pricing.models import Charge, Quote, VoucherGrant
from bookings.pricing.selectors.fees import Backing
from bookings.record.domain.months import month_for
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import RELEASED, used_span
from bookings.record.models import Reservation, SessionRating, UsageSession


@dataclass(frozen=True)
class PastBooking:
    """A past booking: its row, its quote, its fate, and the people who acted."""

    reservation: Reservation
    given: QuoteInput
    fate: Fate
    person: Actor
    manager: Actor
    session: UsageSession | None = None
    marks: SessionRating | None = None

    @property
    def operator(self) -> Actor:
        """Return the person who checks in and out: the host's manager if samples were sent in."""
        return self.manager if self.reservation.service_mode == "entrusted" else self.person


@dataclass
class Ledger:
    """All rows of the demonstration's bookings and money that are to be stored, in their state at `now`.
    `backings`: each payer's side of prices by its id, with what its vouchers have left."""

    now: datetime
    backings: dict[UUID, Backing]
    reservations: list[Reservation] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    occupancies: list[Occupancy] = field(default_factory=list)
    sessions: list[UsageSession] = field(default_factory=list)
    ratings: list[SessionRating] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    earmarks: list[Earmark] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def add(self, entry: PastBooking) -> Period | None:
        """Add a booking, and return the time that it still occupies on its unit, if any."""
        self.reservations.append(entry.reservation)
        self._quote(entry)
        self.changes += story(entry)
        if entry.session:
            self.sessions.append(entry.session)
        if entry.marks:
            self.ratings.append(entry.marks)
        self._charge(entry)
        left = _left(entry)
        if left:
            self.occupancies.append(
                Occupancy(
                    instrument_id=entry.reservation.instrument_id,
                    unit=entry.reservation.unit,
                    span=to_range(left),
                    reservation=entry.reservation,
                )
            )
        return left

    def store(self) -> None:
        """Store all rows, with one statement for each table."""
        for rows in (
            self.reservations,
            self.quotes,
            self.occupancies,
            self.sessions,
            self.ratings,
            self.charges,
            self.entries,
            self.postings,
            self.earmarks,
        ):
            rows_copy(rows)
        for name in ("held", "redeemed"):
            sums: Counter[UUID] = Counter()
            for row in self.earmarks:
                assert row.grant_id
                sums[row.grant_id] += getattr(row, name)
            for pk, amount in sums.items():
                VoucherGrant.objects.filter(pk=pk).update(**{name: F(name) + amount})
        trail.record_all(self.changes)

    def _quote(self, entry: PastBooking) -> None:
        result = fees.quote(entry.given)
        if entry.fate.ended_at is None:
            self._cover(entry, held=result.covered)
        self.quotes.append(
            Quote(
                reservation=entry.reservation,
                inputs=input_to_json(entry.given),
                result=quote_to_json(result, explained=True),
                currency=result.currency,
                total=result.total,
                payable=result.payable,
                created_at=entry.reservation.requested_at,
            )
        )

    def _charge(self, entry: PastBooking) -> None:
        fate, reservation = entry.fate, entry.reservation
        if fate.ended_at is None:
            return
        usage = (fate.check_in, fate.check_out) if fate.check_in and fate.check_out else None
        due = charge(
            entry.given,
            Ending(
                state=fate.state,
                ended_at=fate.ended_at,
                was_confirmed=fate.confirmed_at is not None,
                is_ended_by_host=fate.is_ended_by_host,
                usage=usage,
            ),
        )
        if due is None:
            return
        grant_id = self._cover(entry, redeemed=due.covered)
        row = charge_row(reservation=reservation, due=due, grant_id=grant_id, now=fate.ended_at)
        self.charges.append(row)
        self.changes.append(
            _change(entry, None, "charge.create", fate.ended_at, {}, charge_recorded(row), row)
        )
        self._post(row)
        if row.open_until is not None and row.open_until <= self.now:
            self._finalise(entry, row, row.open_until)

    def _cover(self, entry: PastBooking, **amounts: Decimal) -> UUID | None:
        """Take what a voucher covers of a booking, `held` or `redeemed`, from its payer's grant; return the
        grant, None if none covers any."""
        covered, row = sum(amounts.values()), entry.reservation
        if not covered:
            return None
        backing, codes = self.backings[row.organisation_id], {grant.code for grant in entry.given.grants}
        # No payer of the demonstration has two grants.
        (grant_id,) = (grant.id for grant in backing.grants if grant.code in codes)
        self.backings[row.organisation_id] = backing.having(grant_id, -Decimal(covered))
        self.earmarks.append(
            Earmark(
                reservation=row,
                grant_id=grant_id,
                created_at=entry.fate.requested_at,
                released_at=entry.fate.ended_at,
                **amounts,
            )
        )
        return grant_id

    def _post(self, row: Charge) -> None:
        postings = charge_postings(tax=row.tax, covered=row.covered, payable=row.payable)
        if postings:
            entry = LedgerEntry(kind=LedgerEntry.Kind.CHARGE, charge=row, at=row.created_at)
            self.entries.append(entry)
            self.postings += posting_rows(entry, postings, row)

    def _finalise(self, entry: PastBooking, row: Charge, at: datetime) -> None:
        """Make a charge final that nobody disputed in time."""
        row.state, row.final_at = Charge.State.FINAL, at
        row.month = month_for(at, entry.reservation.host_region.time_zone, ())
        row.version += 1
        after = {"state": "final", "final_at": at, "month": row.month}
        self.changes.append(_change(entry, None, "charge.final", at, {"state": "open"}, after, row))


def _left(entry: PastBooking) -> Period | None:
    """Return the time that a past booking still occupies: as much as was used, or None if it was released or
    missed."""
    fate, row = entry.fate, entry.reservation
    if fate.state in RELEASED or fate.state == "no_show":
        return None
    blocked = Period(row.start_at, row.end_at).padded(row.setup_minutes, row.teardown_minutes)
    if fate.check_in is None:
        return blocked
    return used_span(
        blocked=blocked,
        check_in=fate.check_in,
        check_out=fate.check_out or row.end_at,
        teardown_minutes=row.teardown_minutes,
    )


def story(entry: PastBooking) -> list[Change]:
    """Return the trail of a booking, oldest entry first."""
    fate, row = entry.fate, entry.reservation
    requested_at = fate.requested_at
    first = "requested" if fate.is_answered or fate.confirmed_at is None else "confirmed"
    created = {
        "instrument": row.instrument_id,
        "unit": row.unit,
        "start": row.start_at,
        "end": row.end_at,
        "state": first,
        "payer": row.organisation_id,
        "price_group": row.price_group,
        "rate_card": row.rate_card_id,
    }
    changes = [_change(entry, entry.person, f"reservation.{first}", requested_at, {}, created)]
    steps: list[tuple[str, datetime, Actor | None, dict[str, Any]]] = []
    if first == "requested" and fate.confirmed_at:
        decided = {"decided_by_id": entry.manager.user_id, "confirmed_at": fate.confirmed_at}
        steps.append(("confirmed", fate.confirmed_at, entry.manager, decided))
    if fate.check_in:
        steps.append(("in_use", fate.check_in, entry.operator, {}))
    if fate.ended_at:
        ended: dict[str, Any] = {"ended_at": fate.ended_at, "is_ended_by_host": fate.is_ended_by_host}
        if fate.state == "rejected":
            ended["decided_by_id"] = entry.manager.user_id
        steps.append((fate.state, fate.ended_at, _ender(entry), ended))
    state = first
    for version, (new_state, at, actor, extra) in enumerate(steps, start=2):
        after = {"state": new_state, "version": version, **extra, "deadline_at": None}
        reason = row.reason if new_state == row.state else ""
        changes.append(
            _change(entry, actor, f"reservation.{new_state}", at, {"state": state}, after, reason=reason)
        )
        state = new_state
    return changes


def _ender(entry: PastBooking) -> Actor | None:
    fate = entry.fate
    if fate.is_ended_by_host:
        return entry.manager
    if fate.state == "cancelled":
        return entry.person
    if fate.state == "completed" and fate.check_out and not fate.is_assumed:
        return entry.operator
    return None


def _change(
    entry: PastBooking,
    actor: Actor | None,
    action: str,
    at: datetime,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    target: Any = None,
    reason: str = "",
) -> Change:
    row = entry.reservation
    return Change(
        By(actor or PLATFORM, at),
        action,
        target or row,
        before=before,
        after=after,
        reason=reason,
        places=row.places(),
    )
