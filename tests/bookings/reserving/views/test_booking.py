"""The booking form: the slot it keeps, for whom it books, what is set aside."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import membership_start, role_grant
from bookings.models import Reservation
from bookings.reserving.views import booking
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.blocks import block
from tests.factories.cards import CARD
from tests.factories.cast import NOW, at, reserve


@pytest.fixture
def clock(monkeypatch):
    """What time it is; set `clock.now`."""

    class Clock:
        now = NOW

    monkeypatch.setattr(timezone, "now", lambda: Clock.now)
    return Clock


@pytest.fixture
def browser(cast, clock):
    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


START = "2026-03-06T02:00:00Z"  # 10:00 in Hefei


def sent(**changes):
    return {"start": START, "minutes": "120", "service_mode": "self", "purpose": "research"} | changes


def address(cast, name="book"):
    return reverse(f"bookings:{name}", kwargs={"instrument_id": cast.microscope.pk})


def test_the_form_keeps_its_slot_and_reserves_it(cast, browser):
    wang = browser("wang")
    form = wang.get(address(cast), {"start": START, "minutes": "120"})
    assert 'hx-trigger="input from:closest form once, ' in form.content.decode()
    kept = wang.post(address(cast, "hold"), sent())
    held = Reservation.objects.get()
    assert (kept.status_code, held.state) == (200, "held")
    assert f'name="hold" value="{held.pk}"' in kept.content.decode()
    assert 'data-countdown="600"' in kept.content.decode()
    done = wang.post(address(cast), sent(hold=str(held.pk)))
    assert done["Location"] == reverse("bookings:reservation", kwargs={"reservation_id": held.pk})
    assert Reservation.objects.get().state == "confirmed"


@pytest.mark.parametrize("name", ["book", "quote"])
def test_who_is_blocked_reads_it_before_filling_in_the_form(cast, browser, name):
    block(cast, "wang")
    page = browser("wang").get(address(cast, name), sent()).content.decode()
    assert "USTC has blocked you from booking until" in page and 'data-code="blocked"' in page
    assert "has blocked" not in browser("chen").get(address(cast, name), sent()).content.decode()


def test_reloading_shows_no_refusal_for_ones_own_hold(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    again = wang.get(address(cast), {"start": START, "minutes": "120"})
    assert "data-code" not in again.content.decode()
    # Another time on the same instrument gives the first back.
    other = wang.post(address(cast, "hold"), sent(start="2026-03-06T03:00:00Z"))
    assert other.status_code == 200
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["cancelled", "held"]


def test_the_price_that_is_asked_for_with_the_slot_is_not_refused_for_it(cast, browser, monkeypatch):
    """One change of the form asks for both at once: the slot may be taken in the middle of it."""
    wang = browser("wang")
    load = booking.load_quotation

    def meanwhile(*args, **more):
        monkeypatch.setattr(booking, "load_quotation", load)
        assert wang.post(address(cast, "hold"), sent()).status_code == 200
        return load(*args, **more)

    monkeypatch.setattr(booking, "load_quotation", meanwhile)
    page = wang.get(address(cast, "quote"), sent()).content.decode()
    assert Reservation.objects.get().state == "held"
    assert "data-code" not in page


def test_what_cancelling_costs_is_a_sentence(cast, browser):
    page = browser("wang").get(address(cast), {"start": START, "minutes": "120"}).content.decode()
    said = " ".join(page[page.index("Cancelling:") :].split("</p>")[0].split())
    assert said == (
        "Cancelling: 3 days or more before the start 0 %; 1 day or more before the start 50 %; later 100 %."
    )


def test_after_ten_minutes_what_is_still_free_can_be_reserved(cast, browser, clock):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    hold = Reservation.objects.get()
    clock.now = NOW + timedelta(minutes=11)
    assert wang.post(address(cast), sent(hold=str(hold.pk))).status_code == 302
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["confirmed", "expired"]


def publish(cast, **changes):
    """Another card of the microscope, from today on."""
    card = parse_rate_card(CARD | {"valid_from": f"{NOW:%Y-%m-%d}"} | changes)
    by = By(cast.actor("zhao"), NOW)
    rate_card_create(by, instrument_id=cast.microscope.pk, card=card, publish=True)


DEARER = {"rates": dict.fromkeys(CARD["rates"], "1000.00")}
CHEAPER = {"rates": dict.fromkeys(CARD["rates"], "10.00")}


def read(answer):
    """What stands beside the form: the price with its currency, and what it is for."""
    (value,) = re.findall('name="read" form="booking-form" value="([^"]+)"', answer.content.decode())
    return value


def payable(value):
    return Decimal(value.split()[1])


def test_nobody_is_booked_at_a_price_above_the_one_they_read(cast, browser):
    wang = browser("wang")
    seen = read(wang.get(address(cast), {"start": START, "minutes": "120"}))
    publish(cast, **DEARER)
    answer = wang.post(address(cast), sent(read=seen))
    assert answer.status_code == 409 and not Reservation.objects.exists()
    now = read(answer)
    assert payable(now) > payable(seen)
    html = answer.content.decode()
    assert f"The price has changed: you would now pay CNY {payable(now)}." in html
    assert wang.post(address(cast), sent(read=now)).status_code == 302
    assert Reservation.objects.get().quotes.get().payable == payable(now)


def test_a_price_that_fell_books_at_the_lower_one(cast, browser):
    wang = browser("wang")
    seen = read(wang.get(address(cast), {"start": START, "minutes": "120"}))
    publish(cast, **CHEAPER)
    assert wang.post(address(cast), sent(read=seen)).status_code == 302
    assert Reservation.objects.get().quotes.get().payable < payable(seen)


def test_who_asks_for_something_else_before_its_price_is_there_books_without(cast, browser):
    wang = browser("wang")
    seen = read(wang.get(address(cast), {"start": START, "minutes": "120"}))
    assert wang.post(address(cast), sent(minutes="180", read=seen)).status_code == 302


def test_a_kept_slot_shows_the_price_that_it_is_kept_at(cast, browser):
    """Whatever card is published meanwhile: the form completes the hold by its own."""
    wang = browser("wang")
    seen = read(wang.get(address(cast), {"start": START, "minutes": "120"}))
    wang.post(address(cast, "hold"), sent())
    publish(cast, **CHEAPER)
    for answer in (
        wang.get(address(cast), {"start": START, "minutes": "120"}),
        wang.get(address(cast, "quote"), sent()),
    ):
        assert read(answer) == seen
    held = Reservation.objects.get()
    assert wang.post(address(cast), sent(hold=str(held.pk), read=seen)).status_code == 302
    assert Reservation.objects.get().quotes.get().payable == payable(seen)


def test_an_option_that_is_gone_is_told(cast, browser):
    publish(cast, options=[])
    answer = browser("wang").post(address(cast), sent(option_operator="2"))
    assert answer.status_code == 400 and not Reservation.objects.exists()
    assert "The rate card has no such option." in answer.content.decode()


def test_a_slot_somebody_else_took_says_so(cast, browser):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    wang = browser("wang")
    answer = wang.post(address(cast, "hold"), sent())
    # The form then asks for its quote again, which says what refuses what it has by then.
    assert (answer.status_code, answer["HX-Trigger"], answer.content) == (422, "refused", b"")
    assert 'data-code="slot-taken"' in wang.get(address(cast, "quote"), sent()).content.decode()


def test_the_reservation_page_of_a_hold_leads_back_to_the_form(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    hold = Reservation.objects.get()
    page = wang.get(reverse("bookings:reservation", kwargs={"reservation_id": hold.pk}))
    assert address(cast) in page.content.decode()
    back = wang.post(reverse("bookings:cancel", kwargs={"reservation_id": hold.pk}), {})
    assert back.status_code == 302
    mine = wang.get(reverse("bookings:mine")).content.decode()
    assert str(hold.pk) not in mine  # it never was a booking


def test_two_bookings_at_once_are_pointed_out(cast, browser):
    other = cast.instrument(name="Second microscope")
    booked = reserve(cast, "2026-03-06 11:00", "2026-03-06 13:00", instrument=other)
    wang = browser("wang")
    page = wang.get(address(cast), {"start": START, "minutes": "120"})
    assert str(booked.pk) in page.content.decode()
    # It goes, and comes, with the time.
    quote = address(cast, "quote")
    assert str(booked.pk) not in wang.get(quote, sent(start="2026-03-06T06:00:00Z")).content.decode()
    assert str(booked.pk) in wang.get(quote, sent()).content.decode()


def test_a_manager_books_for_a_member(cast, browser):
    chen = browser("chen")
    missing = chen.post(address(cast), sent())
    assert missing.status_code == 400
    done = chen.post(address(cast), sent(on_behalf_of="WANG@fudan.example"))
    assert done.status_code == 302
    said = [str(message) for message in get_messages(done.wsgi_request)]
    assert said == ["Booked for Wang Li, who gets the confirmation."]
    row = Reservation.objects.get()
    assert (row.user_id, row.made_by_id) == (cast.wang.pk, cast.chen.pk)


def test_a_manager_sets_rules_aside_and_says_why(cast, browser):
    zhao = browser("zhao")
    sunday = sent(start="2026-03-08T02:00:00Z", on_behalf_of="sun@ustc.example")
    box = 'name="override" value="outside-opening-hours"'
    ticked = sunday | {"override": ["outside-opening-hours"], "reason": "Open day."}
    shown = " ".join(zhao.get(address(cast, "quote"), ticked).content.decode().split())
    assert f"{box} checked" in shown and 'value="Open day."' in shown
    friday = sent(on_behalf_of="sun@ustc.example")
    assert "override" not in zhao.get(address(cast, "quote"), friday).content.decode().replace(
        "overriding", ""
    )
    page = zhao.post(address(cast), sunday)
    assert box in " ".join(page.content.decode().split())
    no_reason = zhao.post(address(cast), sunday | {"override": ["outside-opening-hours"]})
    assert no_reason.status_code == 400
    done = zhao.post(address(cast), sunday | {"override": ["outside-opening-hours"], "reason": "Open day."})
    assert done.status_code == 302
    row = Reservation.objects.get()
    assert (row.overrides, row.start_at) == (["outside-opening-hours"], at("2026-03-08 10:00"))
    page = browser("sun").get(reverse("bookings:reservation", args=[row.pk]))
    assert "data-overrides>opening hours</dd>" in page.content.decode()
    # A researcher who sends it is not heard.
    refused = browser("wang").post(
        address(cast), sent(start="2026-03-08T04:00:00Z", override=["outside-opening-hours"], reason="x")
    )
    assert refused.status_code == 422


def test_opening_the_form_holds_nothing(cast, browser):
    browser("wang").get(address(cast, "book"), {"start": START, "minutes": "60"})
    assert not Reservation.objects.exists()


def test_a_hold_is_released_by_its_holder_alone_and_what_became_a_booking_stays(cast, browser):
    wang, release = browser("wang"), address(cast, "release")
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    hold = Reservation.objects.get()
    browser("sun").post(release, {"hold": str(hold.pk)})
    assert wang.post(release, {"hold": "none"}).status_code == 400
    hold.refresh_from_db()
    assert hold.state == "held"
    assert wang.post(release, {"hold": str(hold.pk), "leaving": "yes"}).status_code == 204
    hold.refresh_from_db()
    assert hold.state == "cancelled"
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    again = Reservation.objects.get(state="held")
    wang.post(address(cast, "book"), sent(minutes="60", hold=str(again.pk)))
    assert wang.post(release, {"hold": str(again.pk)}).status_code == 302
    again.refresh_from_db()
    assert again.state == "confirmed"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.people["wang"])
    assert strict.post(release, {"hold": str(again.pk)}).status_code == 403


def test_one_s_own_hold_is_free_for_its_holder_and_taken_for_others(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    free = {"free_from": "2026-03-06T10:00", "free_until": "2026-03-06T11:00", "minutes": "60"}
    ((_, offer),) = wang.get("/", free).context["results"]
    assert offer.starts == (at("2026-03-06 10:00"),)
    assert "is held for you until 12:10" in wang.get("/", free).content.decode()
    assert browser("sun").get("/", free).context["results"] == []
    day = {"week": "2026-03-06", "minutes": "60"}
    mine = wang.get(address(cast, "instrument"), day)
    assert at("2026-03-06 10:00") in mine.context["days"][0]["starts"]
    assert "is held for you until 12:10" in mine.content.decode()
    theirs = browser("sun").get(address(cast, "instrument"), day)
    assert at("2026-03-06 10:00") not in theirs.context["days"][0]["starts"]
    assert "data-held" not in theirs.content.decode()


def test_the_first_answer_is_for_what_the_address_names(cast, browser):
    """Way of working, samples and options; without a way of working the first is judged."""
    guarded = cast.instrument(
        name="Guarded", policy={"qualification": "instrument"}, service_modes=["self", "assisted"]
    )
    page = reverse("bookings:book", kwargs={"instrument_id": guarded.pk})
    asked = {"start": START, "minutes": "120"}
    wang = browser("wang")
    alone = wang.get(page, asked)
    assert [r.code for r in alone.context["refusals"]] == ["qualification-missing"]
    helped = wang.get(page, asked | {"service_mode": "assisted"})
    assert helped.context["refusals"] == () and helped.context["mode"] == "assisted"
    assert helped.context["form"]["service_mode"].value() == "assisted"
    more = wang.get(page, asked | {"service_mode": "assisted", "option_operator": "2"})
    assert Decimal(more.context["quote"]["payable"]) > Decimal(helped.context["quote"]["payable"])
    assert more.context["form"]["option_operator"].value() == "2"
    # What is not offered is not taken, and nobody agrees by following a link.
    wrong = wang.get(page, asked | {"service_mode": "remote", "house_rules": "1", "override": "x"})
    assert wrong.context["mode"] == "self"
    assert not wrong.context["form"]["house_rules"].value()


def test_the_first_price_of_samples_is_for_their_number(cast, browser):
    sent_in = cast.instrument(
        name="Sent in", card={"rate_unit": "sample", "options": []}, service_modes=["self", "entrusted"]
    )
    page = reverse("bookings:book", kwargs={"instrument_id": sent_in.pk})
    asked = {"start": START, "minutes": "120", "service_mode": "entrusted"}
    wang = browser("wang")
    one, many = (
        Decimal(wang.get(page, asked | {"quantity": n}).context["quote"]["payable"]) for n in ("1", "5")
    )
    assert many > one
    # The same beside the calendar, whose form hands the number on.
    choose = reverse("bookings:choose", kwargs={"instrument_id": sent_in.pk})
    beside = wang.get(choose, asked | {"quantity": "5"})
    assert Decimal(beside.context["quote"]["payable"]) == many
    assert 'name="quantity" value="5"' in beside.content.decode()


def test_links_to_an_equivalent_keep_the_way_of_working(cast, browser):
    other = cast.instrument(name="Equivalent")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    answer = browser("wang").get(
        address(cast), {"start": START, "minutes": "120", "service_mode": "assisted"}
    )
    html = answer.content.decode()
    assert 'data-code="slot-taken"' in html
    link = html.partition(reverse("bookings:book", kwargs={"instrument_id": other.pk}))[2][:200]
    assert "service_mode=assisted" in link


def test_a_refusal_offers_another_way_of_working_with_all_that_was_typed(cast, browser):
    guarded = cast.instrument(
        name="Guarded", policy={"qualification": "instrument"}, service_modes=["self", "assisted", "remote"]
    )
    page = reverse("bookings:book", kwargs={"instrument_id": guarded.pk})
    wang = browser("wang")
    html = wang.get(page, {"start": START, "minutes": "120"}).content.decode()
    assert "Possible without a certificate:" in html and "With an operator" in html
    taken = re.search(f'value="({START} 120 assisted)"', html)[1]
    typed = sent(purpose_text="Alloys", option_operator="2", at="2026-03-06T10:00", take=taken)
    answer = wang.post(page, typed)
    form = answer.context["form"]
    assert answer.status_code == 200 and answer.context["refusals"] == ()
    assert (answer.context["mode"], form["service_mode"].value()) == ("assisted", "assisted")
    assert (form["purpose_text"].value(), form["option_operator"].value()) == ("Alloys", "2")
    assert not Reservation.objects.exists()
    # The same beside the calendar, and for programs.
    choose = reverse("bookings:choose", kwargs={"instrument_id": guarded.pk})
    beside = wang.get(choose, {"start": START, "minutes": "120"}).content.decode()
    link = re.search(r'data-way="remote" href="([^"]+)"', " ".join(beside.split()))[1].replace("&amp;", "&")
    assert wang.get(link).context["refusals"] == []
    # Who may not book alone on an instrument that offers nothing else is offered no way.
    alone = cast.instrument(name="Alone", policy={"qualification": "instrument"}, service_modes=["self"])
    html = wang.get(
        reverse("bookings:book", kwargs={"instrument_id": alone.pk}), {"start": START, "minutes": "120"}
    ).content.decode()
    assert "qualification-missing" in html and "Possible without" not in html


def test_too_far_ahead_or_over_the_nearest_time_is_one_that_can_be_booked(cast, browser):
    wang = browser("wang")
    for start in ("2026-08-03T02:00:00Z", "2026-01-05T02:00:00Z"):
        answer = wang.get(address(cast), {"start": start, "minutes": "120"})
        nearest = answer.context["refusals"][0].nearest
        assert NOW <= nearest.start <= NOW + timedelta(days=60) and nearest.minutes == 120, start
        offered = wang.get(address(cast), {"take": f"{nearest.start:%Y-%m-%dT%H:%M:%SZ} {nearest.minutes}"})
        assert offered.context["refusals"] == (), start


def test_who_could_make_an_exception_is_named_to_those_who_cannot(cast, browser):
    facility = cast.microscope.facility
    facility.contact_email = "lab@ustc.example"
    facility.save()
    sunday = {"start": "2026-03-08T02:00:00Z", "minutes": "120"}
    html = browser("wang").get(address(cast), sunday).content.decode()
    assert "The owner can make an exception." in html and "mailto:lab@ustc.example?subject=" in html
    assert "data-exception" not in browser("zhao").get(address(cast), sunday).content.decode()
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")  # nobody may override that
    taken = browser("wang").get(address(cast), {"start": START, "minutes": "120"}).content.decode()
    assert "slot-taken" in taken and "data-exception" not in taken


def test_another_payer_is_charged_with_all_that_was_typed(cast, browser):
    wang = cast.people["wang"]
    membership_start(By(PLATFORM, NOW), user=wang, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=wang, role="researcher", organisation=cast.ustc)
    wang = browser("wang")
    first = wang.get(address(cast), {"start": START, "minutes": "120"})
    other = next(one for one in first.context["payers"] if one != first.context["payer"])
    assert f'value="- - - {other.code}"' in first.content.decode()
    typed = sent(
        organisation=first.context["payer"].code,
        service_mode="assisted",
        purpose_text="Alloys",
        at="2026-03-06T14:00",
        take=f"- - - {other.code}",
    )
    answer = wang.post(address(cast), typed)
    assert (answer.context["payer"], answer.context["mode"]) == (other, "assisted")
    assert answer.context["period"].start == at("2026-03-06 14:00")
    assert answer.context["form"]["purpose_text"].value() == "Alloys"


@pytest.mark.parametrize(
    "take", ["x", "x y", "2026-03-06T02:00:00Z many", "2026-03-06T02:00:00Z 120 flying -"]
)
def test_what_was_never_offered_is_not_taken(cast, browser, take):
    answer = browser("wang").post(address(cast), sent(take=take))
    assert answer.status_code in {200, 302} and not Reservation.objects.filter(service_mode="flying").exists()
    if answer.status_code == 200:
        assert answer.context["mode"] == "self"


def test_what_is_said_of_the_post_follows_the_form(cast, browser):
    wang = browser("wang")
    cast.microscope.service_modes = ["self", "entrusted"]
    cast.microscope.save()

    def said(start, mode):
        asked = sent(start=start, service_mode=mode)
        return "Samples that you post today" in wang.get(address(cast, "quote"), asked).content.decode()

    assert said("2026-03-06T02:00:00Z", "entrusted")
    assert not said("2026-03-06T02:00:00Z", "self")
    assert not said("2026-05-06T02:00:00Z", "entrusted")
