"""What courses cost, on the pages and through the API: before, after, disputed."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant
from accounts.services.memberships import membership_start, role_grant
from bookings.charging.services.charges import charges_finalise
from bookings.models import Charge, Correction, Dispute, Statement
from bookings.settlement.services.statements import statements_draw
from instruments.models import Enrolment, RateCard
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, at
from tests.factories.training import course, enrol, session
from tests.instruments.conftest import signed_in, typed

pytestmark = pytest.mark.django_db
RATES = {"internal": "0.00", "regional": "150.00", "external": "250.00"}
BEGUN = at("2026-03-10 10:00")
DAY = timedelta(days=1)


@pytest.fixture
def priced(cast):
    instrument = cast.instrument(card={"training": {"rates": RATES}, "tax_percent": "6"})
    return session(cast, course(cast, instrument))


def url(name, pk):
    return reverse(name, args=[pk])


def attended(cast, program, priced, clock):
    row = enrol(cast, priced)
    clock.now = BEGUN
    answer = program("zhao").post(f"enrolments/{row.pk}/result/", {"result": "passed"})
    assert answer.status == 200
    return Charge.objects.get()


def test_what_one_pays_stands_beside_the_button(cast, priced, clock):
    of = url("instruments:course", priced.course_id)
    page = page_of(signed_in(cast.wang).get(of))
    assert "You pay <strong>CNY 265.00</strong> once you have attended, charged to Fudan University." in page
    assert "The rate card has no price of this course for Hefei Optics" in page_of(
        signed_in(cast.people["hu"]).get(of)
    )
    answer = signed_in(cast.people["hu"]).post(url("instruments:enrol", priced.pk))
    assert "The rate card has no price of this course for Hefei Optics." in page_of(answer, 409)
    signed_in(cast.wang).post(url("instruments:enrol", priced.pk))
    assert Enrolment.objects.get().organisation == cast.fudan
    card = page_of(signed_in(cast.wang).get(url("bookings:instrument", priced.course.instrument_id)))
    assert "A place in a course: CNY 250.00." in card


def test_who_belongs_to_several_chooses_on_the_page(cast, priced, clock):
    sun = cast.people["sun"]
    membership_start(By(PLATFORM, NOW), user=sun, organisation=cast.fudan)
    role_grant(By(PLATFORM, NOW), user=sun, role="researcher", organisation=cast.fudan)
    client = signed_in(sun)
    page = page_of(client.get(url("instruments:course", priced.course_id)))
    assert "Fudan University: CNY 265.00" in page and "USTC: CNY 0.00" in page
    answer = client.post(url("instruments:enrol", priced.pk), {"organisation": ""})
    assert answer.status_code == 400 and not Enrolment.objects.exists()
    client.post(url("instruments:enrol", priced.pk), {"organisation": "fudan"})
    assert Enrolment.objects.get().organisation == cast.fudan


def test_the_host_reads_who_pays(cast, priced, clock, program):
    zhao = signed_in(cast.people["zhao"])
    manage = url("instruments:session-manage", priced.pk)
    assert "it pays for the people you enrol" in page_of(zhao.get(manage))
    zhao.post(url("instruments:session-enrol", priced.pk), {"user": "wang@fudan.example"})
    assert Enrolment.objects.get().organisation == cast.ustc
    assert "CNY 0.00 ·" in page_of(zhao.get(manage))


def test_nobody_is_asked_who_pays_for_a_free_place(cast, clock):
    role_grant(By(PLATFORM, NOW), user=cast.people["zhao"], role="manager", organisation=cast.fudan)
    free = session(cast, course(cast))
    zhao = signed_in(cast.people["zhao"])
    assert (
        "organisation"
        not in zhao.get(url("instruments:session-manage", free.pk)).context["enrol_form"].fields
    )
    zhao.post(url("instruments:session-enrol", free.pk), {"user": "wang@fudan.example"})
    assert Enrolment.objects.get().organisation is None


def test_the_charge_on_its_pages(cast, priced, clock, program):
    charge = attended(cast, program, priced, clock)
    wang, zhao = signed_in(cast.wang), signed_in(cast.people["zhao"])
    for client in (wang, zhao, signed_in(cast.people["auditor"])):
        page = page_of(client.get(reverse("bookings:money-charges")))
        assert "Using the microscope" in page and "course attended" in page
    one = url("bookings:money-charges-one", charge.pk)
    page = page_of(wang.get(one))
    assert "Place in a course" in page and "CNY 265.00" in page
    wang.post(url("bookings:money-charges-dispute", charge.pk), {"reason": "I left early.", "version": 1})
    assert Dispute.objects.get().state == "open"
    form = zhao.get(one).context["correction_form"]
    assert [bound.name for bound in form if not bound.is_hidden] == ["waive_percent", "reason"]
    sent = typed(form, waive_percent="20", reason="Half of the day.", uphold="1")
    assert zhao.post(url("bookings:money-charges-correct", charge.pk), sent).status_code == 302
    gao = signed_in(cast.people["gao"])
    correction = Correction.objects.get()
    assert "Place in a course" in page_of(gao.get(one))
    gao.post(url("bookings:money-charges-correction-agree", correction.pk), {"version": correction.version})
    again = Charge.objects.get(state="open")
    assert (str(again.payable), Dispute.objects.get().state) == ("212.000", "upheld")
    assert "Using the microscope" in page_of(wang.get(url("bookings:money-charges-replay", again.pk)))
    rows = wang.get(reverse("bookings:money-charges"), {"format": "csv"})
    assert b"Using the microscope" in b"".join(rows)


def test_on_the_statement(cast, priced, clock, program):
    attended(cast, program, priced, clock)
    charges_finalise(now=BEGUN + 8 * DAY)
    statements_draw(month=BEGUN.date().replace(day=1), host=cast.ustc, now=at("2026-04-02 10:00"))
    paper = Statement.objects.get()
    lin = signed_in(cast.people["lin"])
    page = page_of(lin.get(url("bookings:money-statements-one", paper.pk)))
    assert "Using the microscope" in page and "course attended" in page
    for name in ("bookings:money-statements-pdf", "bookings:money-statements-csv"):
        assert lin.get(url(name, paper.pk)).status_code == 200


def test_through_the_api(cast, priced, clock, program):
    wang = program("wang")
    body = wang.get(f"course-sessions/{priced.pk}/").body
    price = {"amount": "265.00", "currency": "CNY"}
    assert body["prices"] == [{"organisation": "fudan", "price_group": "external", "payable": price}]
    assert program("hu").get(f"course-sessions/{priced.pk}/").body["prices"][0]["payable"] is None
    refused = wang.post("enrolments/", {"session": str(priced.pk), "organisation": "ustc"})
    assert (refused.status, refused.body["errors"][0]["code"]) == (400, "not-a-member")
    elsewhere = {"session": str(priced.pk), "user": "wang@fudan.example", "organisation": "fudan"}
    refused = program("zhao").post("enrolments/", elsewhere)
    assert (refused.status, refused.body["errors"][0]["code"]) == (400, "not-their-payer")
    assert program("hu").post("enrolments/", {"session": str(priced.pk)}).code == "place-not-priced"
    made = wang.post("enrolments/", {"session": str(priced.pk)})
    assert (made.body["organisation"], made.body["payable"]) == ("fudan", price)
    clock.now = BEGUN
    program("zhao").post(f"enrolments/{made.body['id']}/result/", {"result": "failed"})
    [listed] = wang.get(f"charges/?enrolment={made.body['id']}").body["results"]
    assert (listed["kind"], listed["reservation"], listed["instrument"]) == ("training", None, None)
    assert (listed["enrolment"], listed["course_name"]) == (made.body["id"], "Using the microscope")
    assert (listed["organisation"], listed["host"], listed["payable"]) == ("fudan", "ustc", price)
    one = wang.get(f"charges/{listed['id']}/")
    assert one.body["result"]["lines"][0]["kind"] == "training"
    assert wang.get(f"charges/{listed['id']}/replay/").body["agrees"] is True
    program("zhao").post(f"enrolments/{made.body['id']}/result/", {"result": "absent"})
    assert wang.get(f"charges/{listed['id']}/").body["state"] == "reversed"


def test_the_price_is_entered_on_the_form_of_the_card(cast, clock):
    zhao = signed_in(cast.people["zhao"])
    cards = url("instruments:rate-cards", cast.microscope.pk)
    form = zhao.get(cards).context["form"]
    sent = typed(form, training_internal="0", training_external="250.00", valid_from="2026-04-01")
    assert zhao.post(cards, sent | {"training_partner": "-1"}).status_code == 400
    assert zhao.post(cards, sent).status_code == 302
    draft = RateCard.objects.get(instrument=cast.microscope, published_at=None)
    assert draft.card["training"] == {"rates": {"internal": "0", "external": "250.00"}}
    assert zhao.get(cards).context["form"].has_training


def test_charges_are_added_up_by_payer_whose_list_is_a_click_away(cast, priced, clock, program):
    charge = attended(cast, program, priced, clock)
    page = page_of(signed_in(cast.zhao).get(reverse("bookings:money-charges") + "?by=payer"))
    assert f"payer={cast.fudan.pk}" in page and "party=" not in page.partition("<tbody>")[2]
    zhao, lists = program("zhao"), reverse("bookings:money-charges")
    for by, named in (
        ("payer", {"payer": str(cast.fudan.pk)}),
        ("person", {"person": str(cast.wang.pk)}),
        ("instrument", {"course": str(priced.course_id)}),
    ):
        (row,) = zhao.get(f"charges/sums/?by={by}&side=owed").body["rows"]
        assert {key: row[key] for key in named} == named
        assert row["payable"] == {"amount": "265.00", "currency": "CNY"}
        assert (row["charges"], row["side"]) == (1, "owed")
        ((key, value),) = named.items()
        found = zhao.get(f"charges/?{key}={value}").body["results"]
        assert [each["id"] for each in found] == [str(charge.pk)]
        shown = signed_in(cast.zhao).get(f"{lists}?{key}={value}").context["page"]
        assert [each.pk for each in shown] == [charge.pk]
    assert "Payer: Fudan" in page_of(signed_in(cast.zhao).get(f"{lists}?payer={cast.fudan.pk}"))
    # An organisation that is only the host of charges pays none of them.
    for nobody in (f"charges/?payer={cast.ustc.pk}", f"charges/sums/?payer={cast.ustc.pk}"):
        assert not next(iter(v for k, v in zhao.get(nobody).body.items() if k in ("results", "rows")))
    assert program("hu").get("charges/sums/").body == {"rows": []}
    assert program("zhao").get("charges/sums/?by=weather").status == 400


def test_courses_stand_in_what_a_person_spends(cast, priced, clock, program):
    def spent():
        (month,) = program("wang").get("spending/").body["results"]
        return month["month"], month["will_cost"], month["has_cost"]

    def cny(amount):
        return {"amount": amount, "currency": "CNY"}

    row = enrol(cast, priced)
    waiting = enrol(cast, priced, "hu", by="zhao", waits=True)
    assert waiting.price is not None
    assert spent() == ("2026-03-01", cny("265.00"), cny("0.00"))
    mine, person = reverse("bookings:spending"), url("bookings:person", cast.wang.pk)
    for reader, page in ((cast.wang, mine), (cast.zhao, person)):
        shown = page_of(signed_in(reader).get(page))
        assert "Using the microscope" in shown and "CNY 265.00" in shown
    clock.now = BEGUN
    program("zhao").post(f"enrolments/{row.pk}/result/", {"result": "passed"})
    assert spent() == ("2026-03-01", cny("0.00"), cny("265.00"))
    assert "CNY 265.00, Fudan University (open)" in page_of(signed_in(cast.zhao).get(person))
    program("zhao").post(f"enrolments/{row.pk}/undo/", {"result": "absent", "reason": "Was ill"})
    assert program("wang").get("spending/").body["results"] == []
    for reader, page in ((cast.wang, mine), (cast.zhao, person)):
        assert "CNY 265.00" not in page_of(signed_in(reader).get(page))


def test_the_manager_of_the_instrument_alone_is_not_asked_whom_the_host_pays_for(cast, clock):
    instrument = cast.instrument(card={"training": {"rates": RATES | {"internal": "40.00"}}})
    of = session(cast, course(cast, instrument))
    RoleGrant.objects.create(
        user=cast.sun, role="manager", organisation=cast.ustc, instrument_id=instrument.pk, granted_at=NOW
    )
    page = url("instruments:session-manage", of.pk)
    form = f'action="{url("instruments:session-enrol", of.pk)}"'
    client = signed_in(cast.sun)
    assert form not in (told := page_of(client.get(page))) and "only those who manage all of USTC" in told
    assert form in page_of(signed_in(cast.zhao).get(page))
    values = {"user": "wang@fudan.example"}
    assert client.post(url("instruments:session-enrol", of.pk), values).status_code == 403
