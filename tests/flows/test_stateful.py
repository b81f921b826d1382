"""The life of many bookings at once, in any order, against the real database.

People and the host's manager do what they may and what they may not; time passes; jobs run, or
do not. Whatever happens: nothing is raised but refusals, and after every step the rows agree with
each other and with what they were before.
"""

from collections import Counter, defaultdict
from datetime import UTC, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.db.models import Count
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import FOREVER, to_period
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, Closure, Occupancy, Quote, Reservation, UsageSession
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import COUNTED, OCCUPYING, RELEASED, TRANSITIONS, effective_state
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
    reservations_lapse,
)
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.conftest import DEEP
from tests.factories.cast import NOW

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
COMMON = {"slot_minutes": 30, "min_minutes": 30, "max_minutes": 240}
POLICIES = {
    "Open to all": COMMON | {"setup_minutes": 10, "teardown_minutes": 20, "units": 2},
    "With limits": COMMON
    | {
        "check_in_minutes": 45,
        "quotas": [
            {"scope": "user", "unit": "bookings", "per": "upcoming", "limit": 2},
            {"scope": "organisation", "unit": "hours", "per": "day", "limit": 4},
        ],
    },
    "Asks first": COMMON | {"approval": "manual", "approval_minutes": 90, "teardown_minutes": 30, "units": 2},
}
PEOPLE = ["wang", "sun", "hu"]
EVERYBODY = [*PEOPLE, "chen", "zhao"]
SLOT, MINUTE = timedelta(minutes=30), timedelta(minutes=1)
# None: the person whose it is.
WHO = st.none() | st.none() | st.none() | st.sampled_from(EVERYBODY)
INDEX = st.integers(0, 3) | st.integers(0, 30)
STARTS = st.integers(-2, 10) | st.integers(-2, 60)
LENGTHS = st.integers(1, 4) | st.integers(0, 9)


class Bookings(RuleBasedStateMachine):
    """Built once, each example in a savepoint that is rolled back."""

    cast = None
    instruments = ()
    actors = {}
    happened = Counter()

    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.now = NOW
        self.seen = {}
        self.units = {i.pk: POLICIES[i.name].get("units", 1) for i in self.instruments}

    def teardown(self):
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    # Choosing

    def all_reservations(self):
        return list(Reservation.objects.order_by("-id"))

    def pick(self, index, *states):
        rows = [r for r in self.all_reservations() if not states or r.state in states]
        return rows[index % len(rows)] if rows else None

    def period(self, start, length):
        base = NOW + (self.now - NOW) // SLOT * SLOT
        first = base + start * SLOT
        return Period(first, first + max(length, 1) * SLOT - (15 * MINUTE if length == 0 else 0 * MINUTE))

    def written(self):
        return written()

    def attempt(self, name, act):
        """What is refused leaves nothing behind."""
        before = self.written()
        try:
            result = act()
        except Refused as refused:
            self.happened[f"{name}: {refused.code}"] += 1
            now = self.written()
            # An expired row may have been swept before the refusal; a refusal undoes that too.
            assert now == before, (name, refused.code)
            return None
        self.happened[name] += 1
        return result

    def booking(self, instrument, start, length, **values):
        return Booking(
            instrument_id=self.instruments[instrument].pk,
            period=self.period(start, length),
            organisation=values.pop("organisation", None),
            service_mode=values.pop("service_mode", "self"),
            **values,
        )

    # What people do

    @initialize(
        asked=st.lists(
            st.tuples(st.sampled_from(PEOPLE), st.integers(0, 2), st.integers(0, 12), st.integers(1, 4)),
            min_size=3,
            max_size=8,
        )
    )
    def some_have_booked(self, asked):
        for who, instrument, start, length in asked:
            self.ask(who, instrument, start, length)

    @rule(who=st.sampled_from(PEOPLE), instrument=st.integers(0, 2), start=STARTS, length=LENGTHS)
    def ask(self, who, instrument, start, length):
        booking = self.booking(instrument, start, length)
        self.attempt("ask", lambda: reservation_request(By(self.actors[who], self.now), booking=booking))

    @rule(
        who=st.sampled_from(["zhao", "chen", "sun"]),
        instrument=st.integers(0, 2),
        start=STARTS,
        length=LENGTHS,
        override=st.lists(
            st.sampled_from(["user-quota", "organisation-quota", "off-grid", "too-soon", "too-long"]),
            unique=True,
        ),
        reason=st.sampled_from(["asked by phone", "asked by phone", ""]),
    )
    def ask_for_another(self, who, instrument, start, length, override, reason):
        organisation = "fudan" if who == "chen" else "ustc"
        booking = self.booking(
            instrument,
            start,
            length,
            organisation=organisation,
            on_behalf_of={"fudan": "wang@fudan.example", "ustc": "sun@ustc.example"}[organisation],
            override=tuple(override),
            reason=reason,
        )
        self.attempt(
            "ask for another", lambda: reservation_request(By(self.actors[who], self.now), booking=booking)
        )

    @rule(
        who=st.sampled_from(PEOPLE),
        instrument=st.integers(0, 2),
        start=STARTS,
        length=LENGTHS,
        replaces=st.booleans(),
    )
    def hold(self, who, instrument, start, length, replaces):
        booking = self.booking(instrument, start, length)
        self.attempt(
            "hold", lambda: hold_take(By(self.actors[who], self.now), booking=booking, replaces=replaces)
        )

    @rule(who=WHO, index=INDEX, mode=st.sampled_from(["self", "assisted"]))
    def complete(self, who, index, mode):
        hold = self.pick(index, "held") or self.pick(index)
        if hold is None:
            return
        booking = Booking(
            instrument_id=hold.instrument_id,
            period=Period(hold.start_at, hold.end_at),
            organisation=None,
            service_mode=mode,
            hold=hold.pk,
        )
        self.attempt(
            "complete", lambda: reservation_request(By(self.actor_for(who, hold), self.now), booking=booking)
        )

    def actor_for(self, who, reservation):
        """Somebody, or the person whose it is."""
        own = next(a for a in self.actors.values() if a.user_id == reservation.user_id)
        return self.actors[who] if who else own

    @rule(who=WHO, index=INDEX)
    def release(self, who, index):
        hold = self.pick(index, "held") or self.pick(index)
        if hold is not None:
            self.attempt(
                "release",
                lambda: hold_release(By(self.actor_for(who, hold), self.now), reservation_id=hold.pk),
            )

    @rule(
        who=WHO,
        index=INDEX,
        start=st.none() | STARTS,
        length=LENGTHS,
        override=st.lists(
            st.sampled_from(["user-quota", "organisation-quota", "too-soon", "too-long"]), unique=True
        ),
        reason=st.sampled_from(["", "the pump is serviced"]),
    )
    def move(self, who, index, start, length, override, reason):
        found = self.pick(index, "requested", "confirmed", "in_use") or self.pick(index)
        if found is None:
            return
        period = self.period(start or 0, length)
        if start is None:  # only another length
            period = Period(found.start_at, found.start_at + period.length)
        self.attempt(
            "move" if start is not None else "resize",
            lambda: reservation_move(
                By(self.actor_for(who, found), self.now),
                reservation_id=found.pk,
                period=period,
                override=override if who == "zhao" else (),
                reason=reason,
            ),
        )

    @rule(who=st.sampled_from(["zhao", "zhao", "chen", "sun"]), index=INDEX, approve=st.booleans())
    def decide(self, who, index, approve):
        found = self.pick(index, "requested") or self.pick(index)
        if found is not None:
            self.attempt(
                "approve" if approve else "reject",
                lambda: reservation_decide(
                    By(self.actors[who], self.now),
                    reservation_id=found.pk,
                    approve=approve,
                    reason="not this month",
                ),
            )

    @rule(who=WHO, index=INDEX)
    def cancel(self, who, index):
        found = self.pick(index, *OCCUPYING) or self.pick(index)
        if found is not None:
            self.attempt(
                "cancel",
                lambda: reservation_cancel(
                    By(self.actor_for(who, found), self.now), reservation_id=found.pk, reason="ill"
                ),
            )

    @rule(who=WHO, index=INDEX, soon=st.booleans())
    def check_in(self, who, index, soon):
        found = self.pick(index, "confirmed") or self.pick(index)
        if found is None:
            return
        if soon and found.state == "confirmed" and found.start_at > self.now:
            self.now = found.start_at - 10 * MINUTE
        self.attempt(
            "check in",
            lambda: reservation_check_in(By(self.actor_for(who, found), self.now), reservation_id=found.pk),
        )

    @rule(who=WHO, index=INDEX)
    def check_out(self, who, index):
        found = self.pick(index, "in_use") or self.pick(index)
        if found is not None:
            self.attempt(
                "check out",
                lambda: reservation_check_out(
                    By(self.actor_for(who, found), self.now), reservation_id=found.pk
                ),
            )

    # What the host does

    @rule(
        instrument=st.integers(0, 2),
        start=st.integers(-8, 20),
        length=st.none() | st.integers(1, 8),
        units=st.sampled_from([(), (), (1,), (2,)]),
        displace=st.booleans(),
        kind=st.sampled_from(["breakdown", "maintenance"]),
    )
    def close(self, instrument, start, length, units, displace, kind):
        first = NOW + (self.now - NOW) // SLOT * SLOT + start * SLOT + 7 * MINUTE
        outage = Outage(kind, first, first + length * SLOT if length else None, units, "leak")
        self.attempt(
            "close and displace" if displace else "close",
            lambda: closure_create(
                By(self.actors["zhao"], self.now),
                instrument_id=self.instruments[instrument].pk,
                outage=outage,
                displace=displace,
            ),
        )

    @rule(index=INDEX, delete=st.booleans(), later=st.none() | st.integers(-60, 300))
    def reopen(self, index, delete, later):
        rows = list(Closure.objects.order_by("-id"))
        if not rows:
            return
        closure = rows[index % len(rows)]
        zhao, pk = By(self.actors["zhao"], self.now), closure.pk
        end = None if later is None else self.now + later * MINUTE
        self.attempt(
            "delete closure" if delete else "end closure",
            lambda: (
                closure_delete(zhao, closure_id=pk) if delete else closure_end(zhao, closure_id=pk, end=end)
            ),
        )

    @rule(instrument=st.integers(0, 2), units=st.integers(1, 3))
    def set_units(self, instrument, units):
        found = self.instruments[instrument]
        changed = self.attempt(
            "set units",
            lambda: policy_set(
                By(self.actors["zhao"], self.now),
                instrument_id=found.pk,
                policy=parse_policy(POLICIES[found.name] | {"units": units}),
            ),
        )
        if changed is not None:
            self.units[found.pk] = units

    # What time does

    @rule(minutes=st.sampled_from([1, 5, 10, 15, 30, 45, 90, 240, 720, 1440]), jobs=st.booleans())
    def time_passes(self, minutes, jobs):
        self.now += minutes * MINUTE
        if jobs:
            self.jobs()

    @rule()
    def jobs(self):
        """Done twice, the second time finds nothing."""
        lapsed, settled = reservations_lapse(now=self.now), usage_settle(now=self.now)
        self.happened["lapsed"] += lapsed
        self.happened["settled"] += settled
        again = self.written()
        assert (reservations_lapse(now=self.now), usage_settle(now=self.now)) == (0, 0)
        assert self.written() == again

    @rule()
    def charges(self):
        """What is due is charged once, and nothing is charged that the host ended."""
        due = OutboxMessage.objects.filter(kind="charge.due").values_list("payload", flat=True)
        for pk in {payload["reservation"] for payload in due}:
            made = charge_make(reservation_id=pk, now=self.now)
            assert charge_make(reservation_id=pk, now=self.now) == made
            row = Reservation.objects.get(pk=pk)
            assert row.state not in OCCUPYING
            if made is not None:
                self.happened["charged"] += 1
                assert made.total >= 0
                assert not (row.state in RELEASED and row.is_ended_by_host)

    # What holds after every step

    @invariant()
    def nothing_overlaps(self):
        assert overlaps() == 0

    @invariant()
    def rows_agree(self):
        reservations = self.all_reservations()
        taken = defaultdict(list)
        for row in Occupancy.objects.filter(reservation__isnull=False):
            taken[row.reservation_id].append(row)
        open_sessions = Counter(
            UsageSession.objects.filter(checked_out_at=None).values_list("reservation_id", flat=True)
        )
        ended_sessions = Counter(
            UsageSession.objects.filter(checked_out_at__isnull=False).values_list("reservation_id", flat=True)
        )
        quotes = {q.reservation_id: q for q in Quote.objects.filter(is_current=True)}
        cut = set(
            TrailEntry.objects.filter(action="reservation.cut_short").values_list("object_id", flat=True)
        )
        for row in reservations:
            rows = taken[row.pk]
            blocked = Period(row.start_at, row.end_at).padded(row.setup_minutes, row.teardown_minutes)
            if row.state in RELEASED or row.state == "no_show":
                assert rows == [], row.state
            elif row.state == "completed":
                assert len(rows) <= 1
            else:
                (one,) = rows
                span = to_period(one.span)
                assert (one.instrument_id, one.unit) == (row.instrument_id, row.unit)
                assert (
                    one.unit <= self.units[row.instrument_id]
                    or effective_state(row.state, row.deadline_at, self.now) == "expired"
                    or blocked.end <= self.now
                    or one.span.upper <= self.now
                )
                waits = row.state in {"held", "requested"}
                assert one.expires_at == (row.deadline_at if waits else None)
                if row.state != "in_use":
                    assert span == blocked
                else:
                    assert span.start <= blocked.start
                    assert span.end == blocked.end or (row.pk in cut and span.end < blocked.end)
            assert open_sessions[row.pk] == (1 if row.state == "in_use" else 0)
            assert ended_sessions[row.pk] == 0 or row.state == "completed"
            if row.state in {"held", "requested"}:
                assert row.deadline_at is not None
            else:
                assert row.deadline_at is None or row.state in OCCUPYING
            if row.confirmed_at is not None or row.state in {"requested", "confirmed", "in_use"}:
                assert quotes[row.pk].inputs["start"] == quote_time(row.start_at)
                assert quotes[row.pk].inputs["end"] == quote_time(row.end_at)
            elif row.state == "held":
                assert row.pk not in quotes
            assert set(row.overrides) <= {
                "user-quota",
                "organisation-quota",
                "off-grid",
                "too-soon",
                "too-long",
            }

    @invariant()
    def one_at_a_time_uses_a_unit(self):
        doubled = (
            UsageSession.objects.filter(checked_out_at=None)
            .values("instrument", "unit")
            .annotate(n=Count("id"))
            .filter(n__gt=1)
        )
        assert not doubled.exists()

    @invariant()
    def every_change_is_a_version_and_an_entry(self):
        entries = defaultdict(list)
        for entry in TrailEntry.objects.filter(action__startswith="reservation.").order_by("id"):
            entries[entry.object_id].append(entry)
        for row in Reservation.objects.values():
            known = entries[row["id"]]
            assert row["version"] == len(known), [e.action for e in known]
            states = [e.after["state"] for e in known if "state" in e.after]
            assert states[0] in {"held", "requested", "confirmed"}
            assert states[-1] == row["state"]
            for old, new in pairwise(states):
                assert new in TRANSITIONS[old], states
            before = self.seen.get(row["id"])
            if before is not None and before != row:
                assert row["version"] > before["version"], changed(before, row)
            self.seen[row["id"]] = row
        assert len(self.seen) == Reservation.objects.count()

    @invariant()
    def limits_hold(self):
        self.check_limits()

    def check_limits(self, without=frozenset()):
        """Of bookings nobody set a rule aside for; three holds a person, on any instruments."""
        held = Counter()
        limited = next(i for i in self.instruments if i.name == "With limits")
        upcoming, hours = Counter(), defaultdict(timedelta)
        for row in self.all_reservations():
            state = effective_state(row.state, row.deadline_at, self.now)
            held[row.user_id] += state == "held" and row.pk not in without
            if row.instrument_id != limited.pk or state not in COUNTED:
                continue
            if "user-quota" not in row.overrides:
                upcoming[row.user_id] += row.end_at > self.now
            if "organisation-quota" not in row.overrides:
                moment = row.start_at
                while moment < row.end_at:
                    day = (moment + timedelta(hours=8)).date()  # Shanghai
                    hours[row.organisation_id, day] += 15 * MINUTE
                    moment += 15 * MINUTE
        assert max(held.values(), default=0) <= 3
        assert max(upcoming.values(), default=0) <= 2
        assert max(hours.values(), default=timedelta()) <= timedelta(hours=4)

    @invariant()
    def closed_units_are_blocked(self):
        """From now on, whatever closures overlap or ended: each minute of one is taken by one."""
        for closure in Closure.objects.all():
            start, end = max(closure.start_at, self.now), closure.end_at or FOREVER
            if end <= start:
                continue
            for unit in closure.units or range(1, self.units[closure.instrument_id] + 1):
                moments = {start, min(end, start + timedelta(days=400)) - MINUTE}
                for moment in moments:
                    found = Occupancy.objects.filter(
                        instrument_id=closure.instrument_id, unit=unit, span__contains=moment
                    ).exclude(closure=None)
                    assert found.exists(), (closure.kind, unit, moment)


def quote_time(moment):
    return moment.astimezone(UTC).isoformat()


def changed(before, row):
    return {name: (before[name], row[name]) for name in row if before[name] != row[name]}


def written():
    """All that a service could have left behind."""
    return tuple(
        model.objects.count()
        for model in (Reservation, Occupancy, Quote, Closure, UsageSession, Charge, OutboxMessage, TrailEntry)
    )


def overlaps():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bookings_occupancy a JOIN bookings_occupancy b"
            " ON a.instrument_id = b.instrument_id AND a.unit = b.unit AND a.id < b.id"
            " AND a.span && b.span"
        )
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_whatever_is_done_in_whatever_order(cast):
    Bookings.cast = cast
    Bookings.instruments = [
        cast.instrument(name=name, hours=ALWAYS, policy=policy) for name, policy in POLICIES.items()
    ]
    Bookings.actors = {name: cast.actor(name) for name in EVERYBODY}
    Bookings.happened = Counter()
    run_state_machine_as_test(
        Bookings,
        settings=settings(
            max_examples=300 if DEEP else 20,
            stateful_step_count=60 if DEEP else 30,
            deadline=None,
            # The same every time, as chance may leave something out of so few.
            derandomize=not DEEP,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # What never came about was not tried.
    usual = {"ask", "hold", "move", "cancel", "check in", "close and displace", "settled"}
    rare = {"complete", "resize", "approve", "check out", "end closure", "delete closure"}
    missing = (usual | rare if DEEP else usual) - set(Bookings.happened)
    assert not missing
