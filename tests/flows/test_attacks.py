"""What somebody might try in order to get around the rules of booking."""

from contextlib import suppress
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotPermitted, Refused
from accounts.domain.roles import By
from accounts.models import Membership, OutboxMessage, RoleGrant
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.services.charges import charge_make
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
    reservations_lapse,
)
from bookings.usage.services.closures import Outage, closure_create, closure_delete
from bookings.usage.services.usage import reservation_check_in, usage_settle
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.cast import CARD, NOW, at, reserve
from tests.factories.qualifications import certify, withdraw

LATE = at("2026-03-06 09:00")


def move(cast, made, start, end, *, who="wang", now=NOW, **values):
    return reservation_move(
        By(cast.actor(who), now), reservation_id=made.pk, period=Period(at(start), at(end)), **values
    )


def cancel(cast, made, *, who="wang", now=NOW, reason=""):
    return reservation_cancel(By(cast.actor(who), now), reservation_id=made.pk, reason=reason)


def owed(made, now):
    due = charge_make(reservation_id=made.pk, now=now)
    return due.total if due else Decimal(0)


class TestFees:
    def test_moving_and_shortening_in_one_step(self, cast):
        """One hour before, cancelling costs everything: so does giving seven hours of eight back
        by moving the booking half an hour."""
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 18:00")
        full = made.quotes.get().total
        move(cast, made, "2026-03-06 10:30", "2026-03-06 11:00", now=LATE)
        cancel(cast, made, now=LATE)
        assert owed(made, LATE) == full

    def test_a_move_nobody_answers(self, cast):
        """A late booking becomes a request by a move and lapses: the late fee is still owed."""
        asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 18:00", instrument=asks)
        full = made.quotes.get().total
        reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=made.pk, approve=True, reason="")
        move(cast, made, "2026-03-06 09:30", "2026-03-06 17:30", now=LATE)
        made.refresh_from_db()
        assert made.state == "requested"
        assert reservations_lapse(now=made.deadline_at) == 1
        assert OutboxMessage.objects.filter(kind="charge.due").count() == 1
        assert owed(made, made.deadline_at) == full

    def test_a_shortening_fee_outlives_not_coming(self, cast):
        free = cast.instrument(
            name="Free no-shows", card={"no_show_percent": "0"}, policy={"check_in_minutes": 30}
        )
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 18:00", instrument=free)
        move(cast, made, "2026-03-06 10:00", "2026-03-06 10:30", now=LATE)
        made.refresh_from_db()
        assert made.shortening_fee > 0
        usage_settle(now=at("2026-03-06 10:30"))
        made.refresh_from_db()
        assert made.state == "no_show"
        assert owed(made, made.end_at) == made.shortening_fee * Decimal("1.06")

    def test_a_fee_stays_in_its_currency(self, cast):
        made = reserve(cast, "2026-03-30 10:00", "2026-03-30 18:00", now=NOW)
        dollars = parse_rate_card(CARD | {"currency": "USD", "valid_from": "2026-04-01"})
        rate_card_create(
            By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, card=dollars, publish=True
        )
        late = at("2026-03-30 09:00")
        move(cast, made, "2026-03-30 10:00", "2026-03-30 11:00", now=late)
        made.refresh_from_db()
        assert made.shortening_fee == 1820
        with pytest.raises(Invalid):
            move(cast, made, "2026-04-01 10:00", "2026-04-01 11:00", now=late)
        made.refresh_from_db()
        assert (made.start_at, made.version) == (at("2026-03-30 10:00"), 2)
        assert made.quotes.get(is_current=True).currency == "CNY"


class TestPeople:
    def test_who_left_books_no_more_at_its_cost(self, cast):
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
        RoleGrant.objects.filter(user=cast.wang).update(revoked_at=NOW)
        Membership.objects.filter(user=cast.wang).update(ended_at=NOW)
        with pytest.raises(NotPermitted):
            move(cast, made, "2026-03-06 10:00", "2026-03-06 18:00")

    def test_without_a_certificate_nobody_checks_in(self, cast):
        guarded = cast.instrument(name="Guarded", policy={"qualification": "instrument"})
        row = certify(cast, guarded)
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=guarded)
        withdraw(cast, row)
        with pytest.raises(RulesRefuse) as refused:
            reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=made.pk)
        assert [r.code for r in refused.value.refusals] == ["qualification-expires"]


class TestTime:
    def test_a_manager_does_not_book_what_is_over(self, cast):
        RoleGrant.objects.create(user=cast.zhao, role="researcher", organisation=cast.ustc, granted_at=NOW)
        with pytest.raises(Refused):
            reservation_request(
                By(cast.actor("zhao"), NOW),
                booking=Booking(
                    instrument_id=cast.microscope.pk,
                    period=Period(at("2026-03-02 10:00"), at("2026-03-02 12:00")),
                    organisation="ustc",
                    service_mode="self",
                    on_behalf_of="sun@ustc.example",
                    override=("too-soon",),
                    reason="entered late",
                ),
            )

    def test_a_request_the_host_moves_is_answered_before_its_start(self, cast):
        asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
        made = reserve(cast, "2026-03-13 10:00", "2026-03-13 12:00", instrument=asks)
        move(cast, made, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", reason="earlier")
        made.refresh_from_db()
        assert made.deadline_at <= made.start_at


class TestClosures:
    def test_a_unit_added_while_all_are_closed(self, cast):
        """ "All units" are all there are: a new one is closed as well."""
        zhao = cast.actor("zhao")
        one = cast.instrument(name="One", policy={"units": 1})
        closure_create(
            By(zhao, NOW),
            instrument_id=one.pk,
            outage=Outage("breakdown", at("2026-03-06 08:00"), None),
            displace=False,
        )
        policy_set(By(zhao, NOW), instrument_id=one.pk, policy=parse_policy({"units": 2, "max_minutes": 480}))
        with pytest.raises(RulesRefuse):
            reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=one)

    def test_ending_one_closure_while_a_unit_was_added_under_another(self, cast):
        zhao = cast.actor("zhao")
        one = cast.instrument(name="One", policy={"units": 1})
        first, _ = (
            closure_create(
                By(zhao, NOW),
                instrument_id=one.pk,
                outage=Outage(kind, at("2026-03-06 08:00"), at("2026-03-06 20:00")),
                displace=False,
            )
            for kind in ("breakdown", "maintenance")
        )
        policy_set(By(zhao, NOW), instrument_id=one.pk, policy=parse_policy({"units": 2, "max_minutes": 480}))
        with suppress(RulesRefuse):
            reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=one)
        closure_delete(By(zhao, NOW), closure_id=first.pk)
