"""An organisation moves to another region from a day on: what bookings before and after cost,
what the day itself changes, and what it leaves as it was."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OrganisationMove, OutboxMessage, Region, TrailEntry
from accounts.services.organisation_moves import move_decide, move_withdraw
from accounts.services.organisations import region_create
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_sieve import Sieve
from bookings.catalogue.selectors.quotes import load_quotation
from bookings.hours.selectors.hours import hours
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Reservation
from bookings.pricing.selectors.fees import PriceRequest, load_backing, load_terms
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from instruments.managing.services.hosts import moves_carry_out
from instruments.register.models import Facility, Instrument, PastHost
from instruments.search.domain.search import Criteria
from instruments.search.models import SearchEntry
from tests.factories.agreements import agree, grant, programme
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import NOW, at, reserve
from tests.factories.hours import HoursWorld, local

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 12)  # a Thursday
BEFORE, AFTER = ("2026-03-11 10:00", "2026-03-11 12:00"), ("2026-03-12 10:00", "2026-03-12 12:00")


def move(cast, organisation=None, to=None, *, by="admin", starts_on=DAY, now=NOW, **values):
    return move_decide(
        By(cast.actor(by), now, values.pop("expected_version", None)),
        organisation_id=(organisation or cast.fudan).pk,
        region=to or cast.anhui,
        starts_on=starts_on,
        **values,
    )


def group_on(cast, day, payer=None):
    payer = Organisation.objects.get(pk=(payer or cast.fudan).pk)
    found = Instrument.objects.select_related("facility", "organisation", "region").get(pk=cast.microscope.pk)
    return load_terms(found, payer, at(f"{day} 10:00")).price_group


def regions_of(reservation):
    row = Reservation.objects.get(pk=reservation.pk)
    return row.payer_region.code, row.host_region.code, row.price_group


@pytest.mark.parametrize("who", ["payer", "host"])
def test_the_price_group_is_that_of_the_local_day_the_booking_begins(cast, who):
    if who == "payer":
        move(cast)
    else:
        move(cast, cast.ustc, cast.shanghai)
    assert [group_on(cast, day) for day in (DAY - timedelta(days=1), DAY)] == ["external", "regional"]
    before, after = reserve(cast, *BEFORE), reserve(cast, *AFTER)
    where = "CN-AH" if who == "payer" else "CN-SH"
    assert regions_of(before) == ("CN-SH", "CN-AH", "external")
    assert regions_of(after) == (where, where, "regional")


def test_a_booking_made_keeps_its_regions_and_a_moved_one_takes_those_of_its_new_start(cast):
    kept, moved = reserve(cast, *AFTER), reserve(cast, *BEFORE)
    move(cast)
    moves_carry_out(now=at("2026-03-12 00:00"))
    assert regions_of(kept) == ("CN-SH", "CN-AH", "external")
    reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=moved.pk,
        period=Period(at("2026-03-13 10:00"), at("2026-03-13 12:00")),
    )
    assert regions_of(moved) == ("CN-AH", "CN-AH", "regional")
    # What keeps its start keeps its terms.
    reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=kept.pk,
        period=Period(at("2026-03-12 10:00"), at("2026-03-12 13:00")),
    )
    assert regions_of(kept) == ("CN-SH", "CN-AH", "external")


def test_agreements_are_those_of_the_region_of_the_day(cast):
    agree(cast)
    assert [group_on(cast, day) for day in (BEFORE[0][:10], AFTER[0][:10])] == ["partner"] * 2
    move(cast)
    assert [group_on(cast, day) for day in (BEFORE[0][:10], AFTER[0][:10])] == ["partner", "regional"]


def test_a_voucher_of_the_region_left_pays_nothing_from_that_day_on(cast):
    agree(cast)
    grant(cast, programme(cast))
    assert Decimal(quote(cast, AFTER)["covered"]) > 0
    move(cast)
    assert Decimal(quote(cast, BEFORE)["covered"]) > 0
    assert quote(cast, AFTER)["covered"] == "0.00"


def quote(cast, span):
    payer = Organisation.objects.get(pk=cast.fudan.pk)
    asked = PriceRequest(Period(*map(at, span)), "self")
    found = load_quotation(cast.microscope, payer, asked, NOW, user_id=cast.wang.pk)
    return {"covered": f"{found.quote.covered:.2f}"}


def test_quotes_over_http_before_and_after_the_day(cast, program):  # noqa: F811
    move(cast)

    def asked(span):
        start, end = (at(moment).isoformat() for moment in span)
        answer = program("wang").post(
            "quotes/",
            {"instrument": str(cast.microscope.pk), "start": start, "end": end,
             "organisation": "fudan", "service_mode": "self"},
        )  # fmt: skip
        return answer.body["price_group"], answer.body["total"]

    (before, dear), (after, cheap) = asked(BEFORE), asked(AFTER)
    assert (before, after) == ("external", "regional")
    assert Decimal(cheap) < Decimal(dear)


@pytest.mark.parametrize("who", ["payer", "host"])
def test_cards_and_the_order_of_price_are_those_of_the_day_asked_for(cast, who):
    payer = {"payer": cast.fudan, "host": cast.ustc}[who]
    move(cast, payer, cast.anhui if who == "payer" else cast.shanghai)
    fudan = Organisation.objects.get(pk=cast.fudan.pk)
    found = []
    for span in (BEFORE, AFTER):
        within = Period(at(f"{span[0][:10]} 08:00"), at(f"{span[0][:10]} 20:00"))
        own = {"CNY": Decimal(1)}
        sieve = Sieve(NOW, within, load_backing(fudan), minutes=60, worths=own)
        rows = candidates(Criteria(sort="price"), sieve, after=None, most=10)
        offer = load_offers(rows, fudan, NOW, span=within, minutes=60)[cast.microscope.pk]
        found.append((offer.price_group, offer.rate, rows[0].place == offer.quote.total))
    groups = [group for group, _, _ in found]
    assert groups == ["external", "regional"]
    assert [is_ordered for _, _, is_ordered in found] == [True, True]
    assert found[0][1] > found[1][1]


def test_starts_across_the_day_are_priced_each_on_its_own(cast):
    move(cast)
    fudan = Organisation.objects.get(pk=cast.fudan.pk)
    instrument = Instrument.objects.select_related(
        "facility", "organisation", "region", "schedule", "policy"
    ).get(pk=cast.microscope.pk)
    within = Period(at("2026-03-11 18:00"), at("2026-03-12 12:00"))
    offer = load_offers([instrument], fudan, NOW, span=within, minutes=60)[instrument.pk]
    assert (offer.starts[0], offer.price_group) == (at("2026-03-11 18:00"), "external")


def test_on_the_day_the_organisation_and_its_instruments_belong_to_the_new_region(cast):
    decided = move(cast, cast.ustc, cast.shanghai)
    assert Organisation.objects.get(pk=cast.ustc.pk).has_moves
    assert moves_carry_out(now=at("2026-03-11 23:59")) == 0
    assert moves_carry_out(now=at("2026-03-12 00:00")) == 1
    ustc = Organisation.objects.get(pk=cast.ustc.pk)
    assert (ustc.region, ustc.version) == (cast.shanghai, 3)
    assert Instrument.objects.get(pk=cast.microscope.pk).region == cast.shanghai
    entry = SearchEntry.objects.get(instrument=cast.microscope)
    assert entry.region_id == cast.shanghai.pk and "region:cn-sh" in map(str.lower, entry.keys)
    past = PastHost.objects.get()
    assert (past.region, past.from_date, past.until_date) == (cast.anhui, None, DAY)
    decided.refresh_from_db()
    assert decided.carried_out_at == at("2026-03-12 00:00")
    assert moves_carry_out(now=at("2026-03-12 01:00")) == 0
    acts = TrailEntry.objects.filter(object_id=ustc.pk).order_by("id")
    assert list(acts.values_list("action", flat=True))[1:] == ["organisation.move", "organisation.moved"]


def test_the_day_begins_in_the_new_region(cast):
    samoa = region_create(
        By(PLATFORM, NOW),
        scheme="ISO 3166-2",
        code="WS",
        parent=None,
        name="Samoa",
        time_zone="Pacific/Apia",
        currency="CNY",
        shares=True,
    )
    move(cast, to=samoa)
    assert moves_carry_out(now=at("2026-03-11 18:59")) == 0
    assert moves_carry_out(now=at("2026-03-11 19:00")) == 1


def test_two_moves_one_after_the_other_are_both_remembered(cast):
    move(cast, cast.ustc, cast.shanghai)
    moves_carry_out(now=at("2026-03-12 00:00"))
    move(cast, cast.ustc, cast.anhui, starts_on=date(2026, 4, 1), now=at("2026-03-20 10:00"))
    moves_carry_out(now=at("2026-04-01 00:00"))
    assert [
        (row.region, row.from_date, row.until_date) for row in PastHost.objects.order_by("until_date")
    ] == [(cast.anhui, None, DAY), (cast.shanghai, DAY, date(2026, 4, 1))]
    assert [group_on(cast, day) for day in (DAY - timedelta(days=1), DAY, date(2026, 4, 1))] == [
        "external", "regional", "external",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "refusal", "code"),
    [
        ({"by": "chen"}, NotPermitted, "not-permitted"),
        ({"by": "xu"}, NotPermitted, "not-permitted"),
        ({"by": "coordinator"}, NotPermitted, "not-permitted"),
        ({"to": "shanghai"}, Invalid, "same-region"),
        ({"starts_on": NOW.date() - timedelta(days=1)}, Invalid, "in-the-past"),
        ({"starts_on": date(2029, 1, 1)}, Invalid, "too-far-away"),
        ({"to": "china"}, Invalid, "region-does-not-share"),
        ({"expected_version": 7}, WrongVersion, "wrong-version"),
    ],
)
def test_what_refuses_a_move_leaves_nothing(cast, values, refusal, code):
    china = Region.objects.get(code="CN")
    to = {"shanghai": cast.shanghai, "china": china}.get(values.pop("to", ""))
    with pytest.raises(refusal) as refused:
        move(cast, to=to, **values)
    found = refused.value
    assert code in {found.code, *(p.code for p in getattr(found, "problems", ()))}
    assert not OrganisationMove.objects.exists()
    assert not Organisation.objects.get(pk=cast.fudan.pk).has_moves
    assert not OutboxMessage.objects.filter(kind="people.moves").exists()


@pytest.mark.parametrize("closed", ["organisation", "region"])
def test_what_is_closed_does_not_move(cast, closed):
    row = {"organisation": cast.fudan, "region": cast.anhui}[closed]
    type(row).objects.filter(pk=row.pk).update(closed_at=NOW)
    to = Region.objects.get(pk=cast.anhui.pk)
    with pytest.raises(WrongState) as refused:
        move(cast, to=to)
    assert refused.value.code == f"{closed}-closed"


def test_one_move_at_a_time_and_it_may_be_withdrawn_until_its_day(cast):
    decided = move(cast)
    with pytest.raises(WrongState) as refused:
        move(cast, starts_on=date(2026, 5, 1))
    assert refused.value.code == "move-ahead"
    take = {"organisation_id": cast.fudan.pk, "move_id": decided.pk}
    with pytest.raises(NotPermitted):
        move_withdraw(By(cast.actor("xu"), NOW), **take)
    move_withdraw(By(cast.actor("admin"), NOW), **take)
    assert not Organisation.objects.get(pk=cast.fudan.pk).has_moves
    assert group_on(cast, DAY) == "external"
    assert moves_carry_out(now=at("2026-03-12 00:00")) == 0
    with pytest.raises(WrongState):
        move_withdraw(By(cast.actor("admin"), NOW), **take)
    again = move(cast)
    moves_carry_out(now=at("2026-03-12 00:00"))
    with pytest.raises(WrongState) as refused:
        move_withdraw(By(cast.actor("admin"), NOW), **take | {"move_id": again.pk})
    assert refused.value.numbers["state"] == "carried-out"


def test_hours_of_the_days_before_stay_with_the_region_they_were_used_in(cast, world_of_hours):
    world, instrument = world_of_hours

    def by_region():
        found = hours(
            instruments=Instrument.objects.all(),
            facilities=Facility.objects.all(), since=date(2026, 1, 1), until=date(2026, 3, 1),
            by=["region"],
        )  # fmt: skip
        return {row.keys["region"]: (row.minutes.productive, row.other_regions) for row in found}

    before = by_region()
    assert before[world.here.code] == (60, 60)
    world.host.refresh_from_db()
    Instrument.objects.filter(pk=instrument.pk).update(region=world.there)
    PastHost.objects.create(
        instrument=instrument, organisation=world.host, region=world.here,
        until_date=date(2026, 3, 1),
    )  # fmt: skip
    assert by_region() == before


@pytest.fixture
def world_of_hours(db):
    world = HoursWorld(at("2026-03-05 12:00"))
    instrument = world.instrument(since=date(2026, 1, 1))
    world.session(
        instrument, local("UTC", "2026-02-05 10:00"), local("UTC", "2026-02-05 11:00"),
        payer=world.stranger,
    )  # fmt: skip
    hours_roll_up(since=None, until=None, now=world.now)
    return world, instrument
