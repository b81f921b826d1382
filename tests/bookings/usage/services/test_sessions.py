"""Sessions whose times nobody recorded."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.usage.selectors.sessions import sessions_to_complete
from bookings.usage.services.sessions import session_complete
from bookings.usage.services.usage import usage_settle
from tests.factories.cast import at, reserve
from tests.factories.charges import BY_USE

LATER = at("2026-03-06 13:00")


@pytest.fixture
def unrecorded(cast):
    """Ended without anybody having checked in, on an instrument that charges by use."""
    instrument = cast.instrument(name="By use", card=BY_USE, policy={"check_in_minutes": None})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    usage_settle(now=at("2026-03-06 12:05"))
    made.refresh_from_db()
    assert made.state == "completed"
    return made


def complete(cast, made, who="wang", start="2026-03-06 10:00", end="2026-03-06 11:00", **values):
    return session_complete(
        By(cast.actor(who), values.pop("now", LATER), values.pop("expected_version", None)),
        reservation_id=made.pk,
        usage=(at(start), at(end)),
        **values,
    )


def listed(cast, name):
    return list(sessions_to_complete(cast.actor(name)))


def test_without_times_nothing_is_charged_and_it_is_on_the_list(cast, unrecorded):
    assert charge_make(reservation_id=unrecorded.pk, now=LATER) is None
    for name, sees in (("wang", 1), ("zhao", 1), ("sun", 0), ("chen", 0), ("gao", 0),
                       ("auditor", 0)):  # fmt: skip
        assert len(listed(cast, name)) == sees, name


def test_what_is_charged_as_reserved_is_not_on_the_list(cast):
    instrument = cast.instrument(name="Reserved", policy={"check_in_minutes": None})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    usage_settle(now=at("2026-03-06 12:05"))
    assert listed(cast, "wang") == []
    assert charge_make(reservation_id=made.pk, now=LATER) is not None
    # Its hours can still be told, but once told they are only corrected with the charge.
    complete(cast, made)
    with pytest.raises(WrongState) as refused:
        complete(cast, made)
    assert refused.value.code == "charged-already"


def test_completed_it_is_charged_and_leaves_the_list(cast, unrecorded):
    effects_carry_out(now=at("2026-03-06 12:06"))
    session = complete(cast, unrecorded, samples=3)
    assert (session.checked_in_at, session.checked_out_at, session.samples) == (
        at("2026-03-06 10:00"), at("2026-03-06 11:00"), 3,
    )  # fmt: skip
    assert listed(cast, "wang") == []
    effects_carry_out(now=LATER)
    charge = Charge.objects.get()
    assert charge.total == Decimal("381.60")  # one hour at 260, set-up 100, tax 6 %
    unrecorded.refresh_from_db()
    assert unrecorded.version == TrailEntry.objects.filter(object_id=unrecorded.pk).count()
    assert OutboxMessage.objects.filter(kind="hours.dirty").count() == 2
    with pytest.raises(WrongState):
        complete(cast, unrecorded)


def test_who_may(cast, unrecorded):
    for name, refusal in (("sun", NotFound), ("xu", NotFound), ("chen", NotPermitted),
                          ("gao", NotPermitted), ("auditor", NotPermitted)):  # fmt: skip
        with pytest.raises(refusal):
            complete(cast, unrecorded, who=name)
    assert not UsageSession.objects.exists()
    complete(cast, unrecorded, who="zhao")


@pytest.mark.parametrize(
    ("start", "end", "field", "code"),
    [
        ("2026-03-06 11:00", "2026-03-06 10:00", "check_out", "not-after-start"),
        ("2026-03-06 10:00", "2026-03-06 13:01", "check_out", "in-the-future"),
        ("2026-03-06 09:44", "2026-03-06 10:30", "check_in", "not-near-the-booking"),
        ("2026-03-06 12:00", "2026-03-06 12:30", "check_in", "not-near-the-booking"),
    ],
)
def test_times_are_in_order_past_and_near(cast, unrecorded, start, end, field, code):
    with pytest.raises(Invalid) as refused:
        complete(cast, unrecorded, start=start, end=end)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == (field, code)
    assert not UsageSession.objects.exists()


def test_not_twelve_hours_after_it(cast, unrecorded):
    now = LATER + timedelta(days=1)
    with pytest.raises(Invalid):
        complete(cast, unrecorded, end="2026-03-07 00:01", now=now)
    complete(cast, unrecorded, end="2026-03-07 00:00", now=now)


def test_only_one_that_has_ended_and_as_it_was_read(cast, unrecorded):
    coming = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    with pytest.raises(WrongState):
        complete(cast, coming)
    with pytest.raises(WrongVersion):
        complete(cast, unrecorded, expected_version=99)
