"""Funding sources of places in courses: reserved when asked for, spent once attended, else released."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from accounts.domain.errors import Invalid
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.recoding import charges_without_source
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.recoding import charge_recode
from bookings.funding.selectors.funding_sources import entries_of, load_spent_by
from bookings.funding.selectors.spending import load_spending
from bookings.funding.services.defaults import default_choose
from bookings.funding.services.places import places_release
from bookings.models import Charge, Earmark
from bookings.record.domain.refusals import RulesRefuse
from instruments.training.services.enrolments import enrolment_result, enrolment_undo, enrolment_withdraw
from instruments.training.services.training import session_cancel
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, at
from tests.factories.funding import paid_by, source, sums
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.django_db
D = Decimal
BEGUN = at("2026-03-10 10:00")
RATES = {"internal": "0.00", "regional": "150.00", "partner": "200.00", "external": "250.00"}
PRICE = D("265.00")
A = [("A", D(100))]


@pytest.fixture
def priced(cast):
    card = {"training": {"rates": RATES}, "tax_percent": "6", "setup_fee": "30.00", "minimum_minutes": 240}
    return session(cast, course(cast, cast.instrument(card=card)))


def result(cast, row, how="passed", now=BEGUN):
    return enrolment_result(By(cast.actor("zhao"), now), enrolment_id=row.pk, result=how)


def test_it_is_reserved_spent_when_attended_and_put_back_with_the_charge(cast, priced):
    one = source(cast, "A")
    row = enrol(cast, priced, funding=A)
    assert sums(one) == (PRICE, 0)
    result(cast, row)
    assert sums(one) == (0, PRICE)
    enrolment_undo(By(cast.actor("zhao"), BEGUN), enrolment_id=row.pk, result="absent", reason="Mixed up")
    assert sums(one) == (0, 0)
    result(cast, row, "failed")
    assert sums(one) == (0, PRICE)
    entry = TrailEntry.objects.get(action="enrolment.fund")
    assert entry.after == {"funding": {"A": "100"}}
    assert cast.ustc.pk not in entry.organisation_ids


@pytest.mark.parametrize("how", ["given-back", "absent", "cancelled", "forgotten"])
def test_it_is_released_when_the_place_is_not_charged(cast, priced, how):
    one = source(cast, "A")
    row = enrol(cast, priced, funding=A)
    zhao = By(cast.actor("zhao"), NOW)
    if how == "given-back":
        enrolment_withdraw(By(cast.actor("wang"), NOW), enrolment_id=row.pk)
    elif how == "absent":
        result(cast, row, "absent")
    elif how == "cancelled":
        session_cancel(zhao, session_id=priced.pk, reason="The trainer is ill")
    else:
        assert places_release(now=priced.end_at + timedelta(days=59)) == 0
        assert places_release(now=priced.end_at + timedelta(days=61)) == 1
        assert places_release(now=priced.end_at + timedelta(days=61)) == 0
    assert sums(one) == (0, 0)
    assert not Earmark.objects.filter(released_at=None).exists()


def test_the_default_of_the_person_pays_unless_they_say_otherwise(cast, priced):
    one = source(cast, "A", is_open=True)
    default_choose(By(cast.actor("wang"), NOW), organisation=cast.fudan, shares=paid_by("A"))
    row = enrol(cast, priced)
    assert sums(one) == (PRICE, 0)
    enrolment_withdraw(By(cast.actor("wang"), NOW), enrolment_id=row.pk)
    enrol(cast, priced, funding=[])
    assert sums(one) == (0, 0)


def test_two_sources_share_it_and_a_correction_spends_what_is_owed_then(cast, priced):
    one, two = source(cast, "A"), source(cast, "B")
    result(cast, enrol(cast, priced, funding=[("A", D(60)), ("B", D(40))]))
    assert (sums(one), sums(two)) == ((0, D("159.00")), (0, D("106.00")))
    charge = Charge.objects.get()
    zhao, gao = By(cast.actor("zhao"), BEGUN), By(cast.actor("gao"), BEGUN)
    proposed = correction_propose(
        zhao, charge_id=charge.pk, amendment=Amendment(waive_percent=D(100)), reason="A favour", settles=False
    )
    correction_agree(gao, correction_id=proposed.pk)
    assert (sums(one), sums(two)) == ((0, 0), (0, 0))


def test_finance_charges_another_source_and_finds_places_without_one(cast, priced):
    one, two = source(cast, "A"), source(cast, "B")
    row = enrol(cast, priced, funding=[])
    result(cast, row)
    charge = Charge.objects.get()
    lin = cast.actor("lin")
    assert list(charges_without_source(lin, BEGUN)) == [charge]
    charge_recode(By(lin, BEGUN), charge_id=charge.pk, shares=paid_by("A"), reason="Forgotten")
    assert not charges_without_source(lin, BEGUN).exists()
    charge_recode(By(lin, BEGUN), charge_id=charge.pk, shares=paid_by("B"), reason="Other project")
    assert (sums(one), sums(two)) == ((0, 0), (0, PRICE))
    assert [entry.enrolment_id for entry in entries_of(lin, two)] == [row.pk]
    assert [(spent.name, spent.spent) for spent in load_spent_by(lin, two)] == [("Wang Li", PRICE)]
    months = load_spending(cast.wang.pk, ZoneInfo(cast.shanghai.time_zone), BEGUN)
    assert [(month.code, month.has_cost) for month in months] == [("B", PRICE)]


@pytest.mark.parametrize("terms", [{"budget": D(100)}, {"budget": None}])
def test_who_may_not_charge_it_or_finds_too_little_gets_no_place(cast, priced, terms):
    source(cast, "A", **terms)
    code = "A" if terms["budget"] else "B"
    with pytest.raises(RulesRefuse if terms["budget"] else Invalid):
        enrol(cast, priced, funding=[(code, D(100))])
    assert not priced.enrolments.exists()
    assert not Earmark.objects.exists()


def test_money_is_for_a_booking_or_a_place_never_both_or_neither(cast, priced):
    source(cast, "A")
    enrol(cast, priced, funding=A)
    row = Earmark.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Earmark.objects.filter(pk=row.pk).update(enrolment=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.pk = None
        row.id = Earmark._meta.pk.get_default()
        row.save(force_insert=True)


def test_the_api_and_the_page_ask_for_it(cast, priced, program, client):
    one = source(cast, "A")
    body = {"session": str(priced.pk), "funding": [{"source": "A", "percent": "100"}]}
    made = program("wang").post("/api/v1/enrolments/", body)
    assert made.status == 201, made.body
    assert sums(one) == (PRICE, 0)
    assert program("wang").post(f"/api/v1/enrolments/{made.body['id']}/withdraw/", {}).status == 200
    entries = program("wang").get(f"/api/v1/funding-sources/{one.pk}/entries/").body["results"]
    assert (entries[0]["reservation"], entries[0]["enrolment"]) == (None, made.body["id"])
    assert entries[0]["course_name"] == "Using the microscope"
    client.force_login(cast.wang)
    page = page_of(client.get(f"/training/courses/{priced.course_id}/"))
    assert 'name="funding-fudan"' in page and '<option value="A" selected>' in page
    unknown = body | {"funding": [{"source": "NONE", "percent": "100"}]}
    assert program("wang").post("/api/v1/enrolments/", unknown).status == 400
