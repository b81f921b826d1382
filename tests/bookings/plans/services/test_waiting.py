"""The waiting list: who is offered what comes free, in which order, and who is not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Membership, OutboxMessage, TrailEntry, User
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Quote, Reservation, WaitingOffer, WaitingWish
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.selectors.waiting import load_entries, own_wishes
from bookings.plans.services.waiting import slot_offer, wish_withdraw, wishes_look, wishes_settle
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.factories.cast import NOW, WEEKDAYS, at, reserve
from tests.factories.qualifications import certify
from tests.factories.waiting import narrow, wait

SLOT = ("2026-03-06 10:00", "2026-03-06 12:00")
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def instrument(cast):
    return narrow(cast)


@pytest.fixture
def booked(cast, instrument):
    """Sun Tao has the Friday's only slot."""
    return reserve(cast, *SLOT, who="sun", instrument=instrument)


def cancel(cast, made, who="sun", now=NOW):
    reservation_cancel(By(cast.actor(who), now), reservation_id=made.pk, reason="")


def offers():
    """(person, instrument, start, end, until) of the offers made, in order."""
    return [
        (
            offer.reservation.user.email.partition("@")[0],
            offer.reservation.instrument.name,
            offer.reservation.start_at,
            offer.reservation.end_at,
            offer.reservation.deadline_at,
        )
        for offer in WaitingOffer.objects.order_by("id").select_related(
            "reservation__user", "reservation__instrument"
        )
    ]


def offered_to():
    return [offer[0] for offer in offers()]


def written():
    return (
        WaitingWish.objects.count(),
        WaitingOffer.objects.count(),
        Reservation.objects.count(),
        Occupancy.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__startswith="waiting").count(),
    )


def take(cast, offer, who, now):
    held = offer.reservation
    return reservation_request(
        By(cast.actor(who), now),
        booking=Booking(
            instrument_id=held.instrument_id,
            period=Period(held.start_at, held.end_at),
            organisation=None,
            service_mode="self",
            hold=held.pk,
        ),
    )


class TestMake:
    def test_it_waits_in_line(self, cast, instrument, booked):
        first = wait(cast, instrument, "wang")
        second = wait(cast, instrument, "hu", now=NOW + SECOND)
        assert (first.state, first.instruments, first.version) == ("waiting", [instrument.pk], 1)
        assert first.organisation == cast.fudan
        assert not WaitingOffer.objects.exists()
        entries = load_entries([second, first], NOW + SECOND)
        assert [entry.rank for entry in entries] == [2, 1]
        entry = TrailEntry.objects.get(action="waiting.create", object_id=first.pk)
        assert entry.actor_id == cast.wang.pk
        assert entry.after["minutes"] == 120

    def test_what_is_free_is_offered_at_once(self, cast, instrument):
        wish = wait(cast, instrument, earliest="2026-03-06 08:00", latest="2026-03-13 20:00")
        assert offers() == [("wang", "Narrow", at(SLOT[0]), at(SLOT[1]), NOW + 2 * HOUR)]
        assert wish.version == 2
        held = Reservation.objects.get()
        assert (held.state, held.made_by_id, held.user_id) == ("held", cast.wang.pk, cast.wang.pk)
        assert held.occupancy.expires_at == NOW + 2 * HOUR
        entry = TrailEntry.objects.get(action="reservation.held")
        assert (entry.actor_id, entry.after["for"]) == (None, str(cast.wang.pk))
        assert OutboxMessage.objects.filter(kind="mail.offer").count() == 1

    def test_not_before_those_who_came_first(self, cast, instrument, booked):
        wait(cast, instrument, "hu")
        Reservation.objects.filter(pk=booked.pk).update(state="cancelled")
        Occupancy.objects.all().delete()  # free, and nobody has looked yet
        wait(cast, instrument, "wang", now=NOW + SECOND)
        assert offered_to() == []
        effects_carry_out(now=NOW + SECOND)
        assert offered_to() == ["hu"]

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"latest": "2026-03-06 08:00"}, ("latest", "not-after-start")),
            ({"earliest": "2026-03-04 08:00", "latest": "2026-03-05 11:00"}, ("latest", "in-the-past")),
            ({"latest": "2026-06-30 08:00"}, ("latest", "span-too-long")),
            ({"earliest": "2027-04-01 08:00", "latest": "2027-04-02 08:00"}, ("latest", "span-too-long")),
            ({"latest": "2026-03-06 09:30"}, ("minutes", "longer-than-window")),
            ({"service_mode": "remote"}, ("service_mode", "not-offered")),
            ({"regions": ["CN-AH"]}, ("regions", "only-with-equivalents")),
            ({"regions": ["CN-AH", "XX"], "any_equivalent": True}, ("regions[1]", "unknown-region")),
        ],
    )
    def test_what_has_not_the_shape_of_a_wish(self, cast, instrument, booked, changes, problem):
        before = written()
        with pytest.raises(Invalid) as refused:
            wait(cast, instrument, **changes)
        assert [(p.field, p.code) for p in refused.value.problems] == [problem]
        assert written() == before

    @pytest.mark.parametrize(("minutes", "code"), [(100, "off-grid"), (510, "too-long"), (30, None)])
    def test_a_length_that_is_never_booked(self, cast, minutes, code):
        instrument = cast.instrument(name="Other")
        if code is None:
            assert wait(cast, instrument, minutes=minutes).pk
            return
        with pytest.raises(RulesRefuse) as refused:
            wait(cast, instrument, minutes=minutes)
        assert [r.code for r in refused.value.refusals] == [code]
        assert not WaitingWish.objects.exists()

    def test_who_may(self, cast, instrument, booked):
        before = written()
        with pytest.raises(Invalid):
            wait(cast, instrument, "alice")
        with pytest.raises(NotPermitted):
            wait(cast, instrument, "zhao")  # manages, does not book
        type(instrument).objects.filter(pk=instrument.pk).update(publication="draft")
        with pytest.raises(NotFound):
            wait(cast, instrument, "wang")
        with pytest.raises(RulesRefuse) as refused:
            wait(cast, instrument, "sun")  # of the host: may see it, and cannot book it
        assert [r.code for r in refused.value.refusals] == ["not-published"]
        assert written() == before

    def test_the_same_twice_and_one_too_many(self, cast, instrument, booked):
        wait(cast, instrument)
        with pytest.raises(WrongState) as refused:
            wait(cast, instrument, now=NOW + HOUR)
        assert refused.value.code == "already-waiting"
        for day in range(9, 18):
            wait(cast, instrument, earliest=f"2026-03-{day:02d} 12:00", latest="2026-03-21 08:00")
        with pytest.raises(WrongState) as refused:
            wait(cast, instrument, earliest="2026-03-19 08:00", latest="2026-03-21 08:00")
        assert (refused.value.code, refused.value.numbers) == ("too-many-wishes", {"most": 10})
        # Once a window is over, its wish counts no more, job or not.
        assert wait(
            cast, instrument, earliest="2026-03-19 08:00", latest="2026-03-21 08:00",
            now=at("2026-03-06 20:00"),
        ).pk  # fmt: skip


class TestOrder:
    def test_a_freed_slot_goes_to_the_first_in_line_alone(self, cast, instrument, booked):
        wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        cancel(cast, booked, now=NOW + HOUR)
        effects_carry_out(now=NOW + HOUR)
        effects_carry_out(now=NOW + HOUR)
        assert offers() == [("wang", "Narrow", at(SLOT[0]), at(SLOT[1]), NOW + 3 * HOUR)]

    def test_made_in_the_same_moment_the_id_decides(self, cast, instrument, booked):
        wait(cast, instrument, "hu")
        wait(cast, instrument, "wang")
        cancel(cast, booked)
        effects_carry_out(now=NOW)
        assert offered_to() == ["hu"]

    def test_declined_it_goes_to_the_next_at_once(self, cast, instrument, booked):
        wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        cancel(cast, booked)
        effects_carry_out(now=NOW)
        held = WaitingOffer.objects.get().reservation
        hold_release(By(cast.actor("wang"), NOW + HOUR), reservation_id=held.pk)
        effects_carry_out(now=NOW + HOUR)
        assert offered_to() == ["wang", "hu"]
        assert offers()[1][4] == NOW + 3 * HOUR
        # Declined by both, it is offered to neither again.
        held = WaitingOffer.objects.order_by("id").last().reservation
        hold_release(By(cast.actor("hu"), NOW + HOUR), reservation_id=held.pk)
        effects_carry_out(now=NOW + HOUR)
        wishes_look(now=NOW + 2 * HOUR)
        assert offered_to() == ["wang", "hu"]
        assert not Occupancy.objects.exists()

    def test_run_out_it_goes_to_the_next_job_or_not(self, cast, instrument, booked):
        wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        cancel(cast, booked)
        effects_carry_out(now=NOW)
        until = NOW + 2 * HOUR
        assert slot_offer(instrument_id=instrument.pk, now=until - SECOND) is None
        assert slot_offer(instrument_id=instrument.pk, now=until) is not None
        assert offered_to() == ["wang", "hu"]
        states = [o.reservation.state for o in WaitingOffer.objects.order_by("id")]
        assert states == ["expired", "held"]

    def test_each_is_offered_the_earliest_that_fits(self, cast):
        wide = cast.instrument(name="Wide")
        for who, hour in (("sun", 8), ("sun", 12), ("sun", 16)):
            reserve(cast, f"2026-03-06 {hour:02d}:00", f"2026-03-06 {hour + 4:02d}:00",
                    who=who, instrument=wide)  # fmt: skip
        wait(cast, wide, "wang", earliest="2026-03-06 13:30", minutes=120)
        wait(cast, wide, "hu", minutes=240, now=NOW + SECOND)
        wait(cast, wide, "sun", minutes=60, now=NOW + 2 * SECOND)
        middle = Reservation.objects.get(start_at=at("2026-03-06 12:00"))
        cancel(cast, middle)
        effects_carry_out(now=NOW)
        # Nothing of four hours is left; the hour is found before the first one's two.
        assert [offer[:4] for offer in offers()] == [
            ("wang", "Wide", at("2026-03-06 13:30"), at("2026-03-06 15:30")),
            ("sun", "Wide", at("2026-03-06 12:00"), at("2026-03-06 13:00")),
        ]

    def test_offers_are_no_holds_of_the_three(self, cast, instrument):
        wait(cast, instrument)
        for hour in (8, 9, 10):
            hold_take(
                By(cast.actor("wang"), NOW),
                booking=Booking(
                    cast.microscope.pk,
                    Period(at(f"2026-03-06 {hour:02d}:00"), at(f"2026-03-06 {hour + 1:02d}:00")),
                    None,
                    "self",
                ),
            )
        assert Reservation.objects.filter(state="held").count() == 4

    def test_a_slot_that_begins_too_soon_is_offered_to_nobody(self, cast, instrument, booked):
        wait(cast, instrument)
        start = at(SLOT[0])
        cancel(cast, booked, now=start - timedelta(minutes=14))
        effects_carry_out(now=start - timedelta(minutes=14))
        assert offered_to() == []

    def test_an_offer_ends_with_the_start_of_its_slot(self, cast, instrument, booked):
        wait(cast, instrument)
        start = at(SLOT[0])
        cancel(cast, booked, now=start - timedelta(minutes=15))
        effects_carry_out(now=start - timedelta(minutes=15))
        assert offers()[0][4] == start

    def test_the_policy_says_how_long_it_stands(self, cast):
        quick = narrow(cast, policy={"offer_minutes": 45})
        wait(cast, quick)
        assert offers()[0][4] == NOW + timedelta(minutes=45)


class TestNobodyIsOfferedWhatTheyCouldNotBook:
    def test_without_a_certificate(self, cast):
        guarded = narrow(cast, policy={"qualification": "instrument"})
        wait(cast, guarded, "wang")
        wait(cast, guarded, "hu", now=NOW + SECOND)
        assert offered_to() == []
        certify(cast, guarded, "hu")
        slot_offer(instrument_id=guarded.pk, now=NOW + SECOND)
        assert offered_to() == ["hu"]

    def test_with_an_operator_no_certificate_is_asked_for(self, cast):
        guarded = narrow(cast, policy={"qualification": "instrument"})
        wait(cast, guarded, "wang", service_mode="assisted")
        assert offered_to() == ["wang"]
        assert Reservation.objects.get().service_mode == "assisted"

    def test_over_their_quota(self, cast):
        limited = narrow(
            cast, policy={"quotas": [{"scope": "user", "unit": "hours", "per": "week", "limit": 2}]}
        )
        reserve(cast, *SLOT, who="sun", instrument=limited)
        wait(cast, limited, "sun", latest="2026-03-06 20:00", earliest="2026-03-06 09:00")
        wait(cast, limited, "wang", now=NOW + SECOND)
        # The week's other day comes free: Sun has had the week's two hours.
        opening_hours_set(
            By(cast.actor("zhao"), NOW),
            instrument_id=limited.pk,
            hours=parse_hours(
                {
                    "weekly": [{"weekday": 5, "opens": "10:00", "closes": "14:00"}],
                    "overrides": [],
                    "observes_holidays": False,
                }
            ),
        )
        slot_offer(instrument_id=limited.pk, now=NOW + SECOND)
        assert offered_to() == ["wang"]

    def test_whose_group_has_no_price(self, cast):
        closed = narrow(cast, card={"rates": {"internal": "120.00", "industry": "480.00"}})
        wait(cast, closed, "wang")  # external
        wait(cast, closed, "hu", now=NOW + SECOND)
        effects_carry_out(now=NOW + SECOND)
        assert offered_to() == ["hu"]

    def test_dearer_than_they_said(self, cast, instrument):
        # 2 h x 260 + 100 set-up, before tax.
        wait(cast, instrument, "wang", max_price=Decimal("619.99"))
        assert offered_to() == []
        wait(cast, instrument, "wang", max_price=Decimal("620.00"), latest="2026-03-06 18:00")
        assert offered_to() == ["wang"]

    def test_who_is_no_member_any_more(self, cast, instrument, booked):
        wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        wait(cast, instrument, "sun", now=NOW + 2 * SECOND)
        Membership.objects.filter(user=cast.wang).update(ended_at=NOW)
        User.objects.filter(pk=cast.hu.pk).update(is_active=False)
        cancel(cast, booked)
        effects_carry_out(now=NOW)
        assert offered_to() == ["sun"]

    def test_a_price_by_the_sample_promises_no_price(self, cast):
        card = {"rate_unit": "sample", "minimum_minutes": 0}
        sampled = narrow(cast, card=card, service_modes=["self", "entrusted"])
        wait(cast, sampled, service_mode="self")  # never booked so
        wait(cast, sampled, service_mode="entrusted", max_price=Decimal(10000))
        assert offered_to() == []
        wait(cast, sampled, service_mode="entrusted", latest="2026-03-06 18:00")
        assert offered_to() == ["wang"]

    def test_beyond_their_horizon_until_it_moves_on(self, cast):
        near = narrow(cast, policy={"horizon_days": {"external": 3}})
        wait(cast, near, earliest="2026-03-11 08:00", latest="2026-03-11 20:00")
        assert offered_to() == []
        start = at("2026-03-11 10:00")
        assert wishes_look(now=start - timedelta(days=3) - SECOND) == 0
        assert wishes_look(now=start - timedelta(days=3) + timedelta(minutes=10)) == 1


class TestEquivalents:
    @pytest.fixture
    def others(self, cast, instrument, booked):
        """Two that do the same; Sun has the slot of each."""
        made = [narrow(cast, name=name) for name in ("Second", "Third")]
        return [(i, reserve(cast, *SLOT, who="sun", instrument=i)) for i in made]

    def test_any_equivalent_will_do(self, cast, instrument, others):
        cast.microscope.techniques.clear()
        wish = wait(cast, instrument, any_equivalent=True)
        assert set(wish.instruments) == {instrument.pk, *(i.pk for i, _ in others)}
        assert wish.instruments[0] == instrument.pk
        effects_carry_out(now=NOW)
        assert offered_to() == []
        cancel(cast, others[1][1])
        effects_carry_out(now=NOW)
        assert [offer[:2] for offer in offers()] == [("wang", "Third")]
        # One at a time: while that stands, the other is offered to nobody.
        cancel(cast, others[0][1])
        effects_carry_out(now=NOW)
        assert len(offers()) == 1

    def test_only_where_it_was_asked_for(self, cast, instrument, others):
        wish = wait(cast, instrument)
        cancel(cast, others[0][1])
        effects_carry_out(now=NOW)
        assert (wish.instruments, offered_to()) == ([instrument.pk], [])

    @pytest.mark.parametrize(
        ("regions", "is_content"), [(["CN-AH"], True), (["CN"], True), (["CN-SH"], False)]
    )
    def test_in_the_regions_named_and_those_below(self, cast, instrument, others, regions, is_content):
        wish = wait(cast, instrument, any_equivalent=True, regions=regions)
        assert (others[0][0].pk in wish.instruments) == is_content
        assert wish.instruments[0] == instrument.pk

    def test_what_is_free_elsewhere_is_offered_by_a_job_at_once(self, cast, instrument, others):
        cancel(cast, others[0][1])
        effects_carry_out(now=NOW)
        cast.microscope.techniques.clear()
        wait(cast, instrument, any_equivalent=True)
        effects_carry_out(now=NOW)
        assert [offer[:2] for offer in offers()] == [("wang", "Second")]

    def test_a_price_in_another_currency_is_not_compared(self, cast, instrument, booked):
        narrow(cast, name="Abroad", card={"currency": "USD"})
        cast.microscope.techniques.clear()
        wait(cast, instrument, any_equivalent=True, max_price=Decimal(10000))
        effects_carry_out(now=NOW)
        assert offered_to() == []
        wait(cast, instrument, any_equivalent=True, latest="2026-03-06 18:00")
        effects_carry_out(now=NOW)
        assert [offer[:2] for offer in offers()] == [("wang", "Abroad")]

    def test_one_that_is_published_later_is_found_by_the_job(self, cast, instrument, booked):
        cast.microscope.techniques.clear()
        wish = wait(cast, instrument, any_equivalent=True)
        assert wish.instruments == [instrument.pk]
        later = narrow(cast, name="New", now=NOW)
        assert wishes_look(now=NOW + timedelta(minutes=4)) == 0
        assert wishes_look(now=NOW + timedelta(minutes=5)) == 1
        wish.refresh_from_db()
        assert wish.instruments == [instrument.pk, later.pk]
        assert [offer[:2] for offer in offers()] == [("wang", "New")]


class TestEnd:
    def test_taking_the_offer_fulfils_the_wish(self, cast, instrument):
        wish = wait(cast, instrument)
        made = take(cast, WaitingOffer.objects.get(), "wang", NOW + HOUR)
        assert (made.state, Quote.objects.count()) == ("confirmed", 1)
        (entry,) = load_entries(list(own_wishes(cast.actor("wang"))), NOW + HOUR)
        assert (entry.state, entry.ended_at, entry.rank) == ("fulfilled", NOW + HOUR, None)
        assert (entry.offer, entry.taken) == (None, made)
        assert wishes_settle(now=NOW + 2 * HOUR) == 1
        assert wishes_settle(now=NOW + 2 * HOUR) == 0
        wish.refresh_from_db()
        assert (wish.state, wish.ended_at) == ("fulfilled", NOW + HOUR)
        assert TrailEntry.objects.get(action="waiting.fulfilled").actor_id is None

    def test_a_booking_that_was_taken_and_cancelled_is_no_declined_offer(self, cast, instrument):
        wait(cast, instrument)
        made = take(cast, WaitingOffer.objects.get(), "wang", NOW)
        cancel(cast, made, "wang")
        effects_carry_out(now=NOW)
        wishes_settle(now=NOW)
        assert WaitingWish.objects.get().state == "fulfilled"
        assert len(offers()) == 1

    def test_past_its_deadline_it_cannot_be_taken(self, cast, instrument):
        wait(cast, instrument)
        with pytest.raises(WrongState) as refused:
            take(cast, WaitingOffer.objects.get(), "wang", NOW + 2 * HOUR)
        assert refused.value.code == "hold-expired"

    def test_the_booking_form_finds_the_offer_as_its_hold(self, cast, instrument):
        wait(cast, instrument)
        held = WaitingOffer.objects.get().reservation
        period = Period(held.start_at, held.end_at)
        found = hold_take(
            By(cast.actor("wang"), NOW + HOUR),
            booking=Booking(instrument.pk, period, None, "self"),
            replaces=True,
        )
        assert (found.pk, found.deadline_at) == (held.pk, NOW + 2 * HOUR)

    def test_it_expires_with_its_window(self, cast, instrument, booked):
        wish = wait(cast, instrument)
        latest = at("2026-03-06 20:00")
        assert wishes_settle(now=latest - SECOND) == 0
        (entry,) = load_entries([wish], latest)
        assert (entry.state, entry.ended_at) == ("expired", latest)
        assert wishes_settle(now=latest + HOUR) == 1
        wish.refresh_from_db()
        assert (wish.state, wish.ended_at, wish.version) == ("expired", latest, 2)

    def test_withdrawn_its_offer_goes_to_the_next(self, cast, instrument):
        wish = wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        wish_withdraw(By(cast.actor("wang"), NOW + HOUR), wish_id=wish.pk)
        wish.refresh_from_db()
        assert (wish.state, wish.ended_at, wish.version) == ("withdrawn", NOW + HOUR, 3)
        effects_carry_out(now=NOW + HOUR)
        assert offered_to() == ["wang", "hu"]
        with pytest.raises(WrongState):
            wish_withdraw(By(cast.actor("wang"), NOW + HOUR), wish_id=wish.pk)

    def test_who_withdraws(self, cast, instrument, booked):
        wish = wait(cast, instrument, "wang")
        with pytest.raises(NotFound):
            wish_withdraw(By(cast.actor("hu"), NOW), wish_id=wish.pk)
        with pytest.raises(NotPermitted):
            wish_withdraw(By(cast.actor("zhao"), NOW), wish_id=wish.pk)
        with pytest.raises(WrongVersion):
            wish_withdraw(By(cast.actor("wang"), NOW, 2), wish_id=wish.pk)
        with pytest.raises(WrongState):
            wish_withdraw(By(cast.actor("wang"), at("2026-03-06 20:00")), wish_id=wish.pk)
        wish.refresh_from_db()
        assert wish.state == "waiting"


class TestWhatFreesTime:
    def test_checking_out_early(self, cast):
        wide = cast.instrument(name="Wide", policy={"min_minutes": 30})
        made = reserve(cast, "2026-03-05 12:00", "2026-03-05 20:00", who="sun", instrument=wide)
        wait(cast, wide, earliest="2026-03-05 12:00", latest="2026-03-05 20:00", minutes=60)
        reservation_check_in(By(cast.actor("sun"), NOW), reservation_id=made.pk)
        now = NOW + HOUR
        reservation_check_out(By(cast.actor("sun"), now), reservation_id=made.pk)
        effects_carry_out(now=now)
        assert [offer[2] for offer in offers()] == [now + timedelta(minutes=30)]

    def test_nobody_coming(self, cast):
        strict = cast.instrument(name="Strict", policy={"check_in_minutes": 30})
        made = reserve(cast, "2026-03-05 12:30", "2026-03-05 20:00", who="sun", instrument=strict)
        wait(cast, strict, earliest="2026-03-05 13:00", latest="2026-03-05 20:00", minutes=60)
        usage_settle(now=NOW + HOUR)
        made.refresh_from_db()
        assert made.state == "no_show"
        effects_carry_out(now=NOW + HOUR)
        assert [offer[2] for offer in offers()] == [at("2026-03-05 13:30")]

    @pytest.mark.parametrize("way", ["end", "delete"])
    def test_a_closure_that_goes(self, cast, instrument, way):
        closed = closure_create(
            By(cast.actor("zhao"), NOW),
            instrument_id=instrument.pk,
            outage=Outage("maintenance", at("2026-03-05 20:00"), at("2026-03-07 00:00")),
            displace=False,
        )
        wait(cast, instrument)
        assert offered_to() == []
        zhao = cast.actor("zhao")
        if way == "delete":
            closure_delete(By(zhao, NOW), closure_id=closed.pk)
        else:
            closure_end(By(zhao, NOW), closure_id=closed.pk, end=at("2026-03-06 09:00"))
        effects_carry_out(now=NOW)
        assert [offer[2] for offer in offers()] == [at(SLOT[0])]

    def test_longer_opening_hours_are_found_by_the_job(self, cast, instrument, booked):
        wait(cast, instrument)
        opening_hours_set(
            By(cast.actor("zhao"), NOW), instrument_id=instrument.pk, hours=parse_hours(WEEKDAYS)
        )
        assert wishes_look(now=NOW + timedelta(minutes=6)) == 1
        assert [offer[2] for offer in offers()] == [at("2026-03-06 08:00")]

    def test_a_second_unit(self, cast, instrument, booked):
        wait(cast, instrument)
        policy_set(
            By(cast.actor("zhao"), NOW),
            instrument_id=instrument.pk,
            policy=parse_policy({"slot_minutes": 30, "units": 2}),
        )
        assert wishes_look(now=NOW + timedelta(minutes=6)) == 1
        assert Reservation.objects.get(state="held").unit == 2


def test_done_twice_it_is_done_once(cast, instrument, booked):
    wait(cast, instrument, "wang")
    wait(cast, instrument, "hu", now=NOW + SECOND)
    cancel(cast, booked)
    for _ in range(3):
        slot_offer(instrument_id=instrument.pk, now=NOW)
        effects_carry_out(now=NOW)
        wishes_look(now=NOW + timedelta(minutes=6))
    assert offered_to() == ["wang"]
