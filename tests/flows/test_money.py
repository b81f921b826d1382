"""An enterprise of Anhui works in Shanghai: from the voucher to what the regions owe each other.

Hu Bo of Hefei Optics books at Fudan under an agreement, with a voucher of Anhui. One booking he
cancels late, and half of the slot is used by another; one he uses longer than booked, disputes,
and is corrected. The month closes, both coordinators confirm, and the auditor replays everything.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.roles import PLATFORM, By
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.replay import charge_replay, replay_all
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.charging.services.melting import fees_melt
from bookings.funding.services.grants import grant_create
from bookings.funding.services.programmes import programme_create
from bookings.models import Charge, Settlement, Statement, VoucherGrant
from bookings.reserving.services.reservations import reservation_cancel
from bookings.settlement.services.settlements import settlement_confirm, settlements_draw
from bookings.settlement.services.statements import statements_draw
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.agreements import agree, programme_terms
from tests.factories.api import clock, program  # noqa: F401 (fixtures)
from tests.factories.cast import CARD, NOW, WEEKDAYS, at, reserve
from tests.factories.ledger import sums_by_currency

D = Decimal
MARCH = date(2026, 3, 1)


@pytest.fixture
def in_shanghai(cast):
    """Fudan's microscope, charged from the reserved start to the later of both ends."""
    chen = cast.actor("chen")
    facility = facility_create(
        By(PLATFORM, NOW),
        organisation=cast.fudan,
        name="Nano centre",
        name_zh="纳米中心",
        time_zone="Asia/Shanghai",
        address="220 Handan Road",
    )
    made = instrument_create(
        By(chen, NOW),
        facility=facility,
        techniques=[cast.technique],
        name="Fudan microscope",
        description="Imaging.",
        manufacturers=[{"name": "Maker"}],
        model="One",
        service_modes=["self"],
    )
    opening_hours_set(By(chen, NOW), instrument_id=made.pk, hours=parse_hours(WEEKDAYS))
    policy_set(
        By(chen, NOW), instrument_id=made.pk, policy=parse_policy({"slot_minutes": 30, "max_minutes": 480})
    )
    card = parse_rate_card(CARD | {"charge_basis": "greater"})
    rate_card_create(By(chen, NOW), instrument_id=made.pk, card=card, publish=True)
    return instrument_publication(By(chen, NOW), instrument_id=made.pk, act="publish")


@pytest.fixture
def voucher(cast):
    """30 % of each booking of Hefei Optics, 5,000 yuan in all, from Anhui."""
    coordinator = cast.actor("coordinator")
    agree(cast)
    terms = programme_terms(code="ah-vouchers", name="Anhui vouchers", percent=D(30))
    programme = programme_create(By(coordinator, NOW), region=cast.anhui, terms=terms)
    return grant_create(
        By(coordinator, NOW),
        programme_id=programme.pk,
        organisation=cast.optics,
        amount=D(5000),
        valid_from=date(2026, 1, 1),
        valid_until=date(2027, 1, 1),
    )


def figures(charge):
    return charge.kind, charge.total, charge.covered, charge.payable


def left(voucher):
    row = VoucherGrant.objects.get(pk=voucher.pk)
    return row.held, row.redeemed


def test_an_enterprise_of_anhui_in_shanghai(cast, in_shanghai, voucher):
    hu, wang = cast.actor("hu"), cast.actor("wang")

    # Two bookings: 2 h at 480, set-up 100, 6 % tax; the voucher pays 30 % of 1,060.
    dropped = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", who="hu", instrument=in_shanghai)
    kept = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="hu", instrument=in_shanghai)
    for made in (dropped, kept):
        quote = made.quotes.get()
        assert (quote.total, quote.payable) == (D("1123.60"), D("805.60"))
    assert left(voucher) == (D("636.00"), 0)

    # Cancelled 20 hours before: all of it, and no voucher for that.
    gone = at("2026-03-09 14:00")
    reservation_cancel(By(hu, gone), reservation_id=dropped.pk, reason="no sample")
    fee = charge_make(reservation_id=dropped.pk, now=gone)
    assert figures(fee) == ("cancellation", D("1123.60"), 0, D("1123.60"))
    assert left(voucher) == (D("318.00"), 0)

    # Half of the slot is used by another, so half of the fee melts.
    resold = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00", instrument=in_shanghai, now=gone)
    reservation_check_in(By(wang, at("2026-03-10 10:00")), reservation_id=resold.pk)
    reservation_check_out(By(wang, at("2026-03-10 11:00")), reservation_id=resold.pk)
    assert charge_make(reservation_id=resold.pk, now=at("2026-03-10 11:00")) is not None
    fees_melt(now=at("2026-03-10 13:00"))
    fees_melt(now=at("2026-03-10 14:00"))  # once only
    melted = Charge.objects.get(kind="melting")
    assert figures(melted) == ("melting", D("-561.80"), 0, D("-561.80"))

    # Used an hour longer than booked: 3 h and set-up.
    reservation_check_in(By(hu, at("2026-03-11 10:00")), reservation_id=kept.pk)
    reservation_check_out(By(hu, at("2026-03-11 13:00")), reservation_id=kept.pk)
    first = charge_make(reservation_id=kept.pk, now=at("2026-03-11 13:00"))
    assert figures(first) == ("use", D("1632.40"), D("462.00"), D("1170.40"))
    assert left(voucher) == (0, D("462.00"))

    # He had left at half past twelve.
    thursday = at("2026-03-12 09:00")
    dispute_open(By(hu, thursday), charge_id=first.pk, reason="I left at 12:30.")
    proposed = correction_propose(
        By(cast.actor("lin"), thursday),
        charge_id=first.pk,
        amendment=Amendment(usage=(at("2026-03-11 10:00"), at("2026-03-11 12:30"))),
        reason="The door says so.",
        settles=True,
    )
    correction_agree(By(cast.actor("chen"), thursday), correction_id=proposed.pk)
    reversal = Charge.objects.get(kind="reversal")
    second = Charge.objects.get(reservation=kept, kind="use", state="open")
    assert figures(reversal) == ("reversal", D("-1632.40"), D("-462.00"), D("-1170.40"))
    assert figures(second) == ("use", D("1378.00"), D("390.00"), D("988.00"))
    assert left(voucher) == (0, D("390.00"))

    # The month closes.
    april = at("2026-04-01 09:00")
    charges_finalise(now=april)
    statements_draw(month=MARCH, now=april)
    settlements_draw(month=MARCH, now=april)
    bill = Statement.objects.get(payer=cast.optics)
    assert (bill.total, bill.covered, bill.payable) == (D("1939.80"), D("390.00"), D("1549.80"))
    billed = Charge.objects.filter(organisation=cast.optics)
    assert sorted(line.charge_id for line in bill.lines.all()) == sorted(c.pk for c in billed)
    assert sum(c.payable for c in billed) == bill.payable

    # Anhui owes Shanghai what its voucher paid there, no more and no less.
    (settled,) = Settlement.objects.all()
    assert (settled.first, settled.second) == (cast.anhui, cast.shanghai)
    assert (settled.first_owes, settled.second_owes) == (D("390.00"), 0)
    for who in ("coordinator", "xu"):
        settlement_confirm(By(cast.actor(who), april), settlement_id=settled.pk)
    settled.refresh_from_db()
    assert settled.state == "confirmed"

    # Everything agrees: the books with themselves, and each amount with its inputs.
    assert all(total == 0 for total in sums_by_currency().values())
    assert [row for row in replay_all() if row.differences != []] == []
    for charge in billed:
        assert charge_replay(cast.actor("auditor"), charge.pk).replay.agrees


def test_both_regions_read_the_same_settlement_to_the_cent(cast, in_shanghai, voucher, program, clock):  # noqa: F811
    """Vouchers of Anhui pay at Fudan and vouchers of Shanghai at USTC; another pays without any. Both
    coordinators read the same paper, whose sums are those of the charges, statements and ledger."""
    optics = cast.optics.code
    theirs = programme_create(
        By(cast.actor("xu"), NOW), region=cast.shanghai, terms=programme_terms(code="sh", percent=D("33.33"))
    )
    grant_create(
        By(cast.actor("xu"), NOW), programme_id=theirs.pk, organisation=cast.fudan, amount=D(5000),
        valid_from=date(2026, 1, 1), valid_until=date(2027, 1, 1),
    )  # fmt: skip
    used = [("hu", in_shanghai, 10, 130), ("hu", in_shanghai, 11, 95), ("wang", cast.microscope, 12, 185)]
    for who, instrument, day, minutes in used:
        day = f"2026-03-{day}"
        made = reserve(cast, f"{day} 10:00", f"{day} 14:00", who=who, instrument=instrument)
        start = at(f"{day} 10:00")
        left_at = start + timedelta(minutes=minutes)
        reservation_check_in(By(cast.actor(who), start), reservation_id=made.pk)
        reservation_check_out(By(cast.actor(who), left_at), reservation_id=made.pk)
        charge_make(reservation_id=made.pk, now=left_at)
    april = at("2026-04-01 00:10")
    charges_finalise(now=april)
    assert statements_draw(month=MARCH, now=april).settlements == 1
    charges = Charge.objects.filter(month=MARCH)
    by_payer = {row.code: D(0) for row in (cast.optics, cast.fudan)}
    for charge in charges:
        by_payer[charge.organisation.code] += charge.covered
    by_payer = {code: amount.quantize(D("0.01")) for code, amount in by_payer.items()}
    assert all(by_payer.values()) and by_payer["fudan"] != by_payer[optics]
    clock.now = april
    (row,) = Settlement.objects.all()
    assert (row.first, row.second) == (cast.anhui, cast.shanghai)
    assert (row.first_owes, row.second_owes) == (by_payer[optics], by_payer["fudan"])
    anhui, shanghai, auditor = program("coordinator"), program("xu"), program("auditor")
    address = f"settlements/{row.pk}/"
    bodies = [who.get(address).body for who in (anhui, shanghai, auditor)]
    assert bodies[0] == bodies[1] == bodies[2] and bodies[0]["ledger"]["agrees"] is True
    papers = [who.get(f"{address}csv/").body for who in (anhui, shanghai)]
    assert papers[0] == papers[1]
    # The use by organisation adds up to what each region owes, and so do the statements of the hosts.
    for side, payer in (("first", optics), ("second", "fudan")):
        use = [line for line in bodies[0]["use"] if line["payer"] == payer]
        assert sum(D(line["covered"]["amount"]) for line in use) == by_payer[payer]
        assert bodies[0][side]["owes"]["amount"] == str(by_payer[payer])
        statements = Statement.objects.filter(payer__code=payer)
        assert sum(one.covered for one in statements) == by_payer[payer]
    owed = abs(by_payer["fudan"] - by_payer[optics])
    assert bodies[0]["net"]["amount"] == str(owed)
    # The year's balance is the same for both, and once paid nothing is open.
    years = [who.get("settlements/balance/?year=2026").body for who in (anhui, shanghai, auditor)]
    assert years[0] == years[1] == years[2]
    (year,) = years[0]["rows"]
    assert year["net"] == bodies[0]["net"] and year["debtor"] == bodies[0]["debtor"]
    for who in (anhui, shanghai):
        assert who.post(f"{address}confirm/", {}).status == 200
    creditor = shanghai if year["debtor"] == "CN-AH" else anhui
    paid = {"amount": str(owed), "paid_on": "2026-04-01"}
    assert creditor.post(f"{address}payments/", paid).status == 201
    (year,) = anhui.get("settlements/balance/?year=2026").body["rows"]
    assert D(year["first"]["open"]["amount"]) == D(year["second"]["open"]["amount"]) == 0
    assert year["first"]["netted"] == year["second"]["netted"]
    for side in (year["first"], year["second"]):
        parts = [D(side[name]["amount"]) for name in ("netted", "paid", "open")]
        assert D(side["owes"]["amount"]) == sum(parts)
    assert D(year["first"]["paid"]["amount"]) + D(year["second"]["paid"]["amount"]) == owed
    assert anhui.get("settlements/balance/?year=2025").body == {"year": 2025, "rows": []}
    assert program("wang").get("settlements/balance/?year=2026").body["rows"] == []
    assert set(sums_by_currency().values()) == {0}
