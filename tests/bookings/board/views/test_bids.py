"""The form of a bid: free times to choose from, and changing a bid that stands."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.letters.kinds import _subject as subject_of
from accounts.models import OutboxMessage
from bookings.board.domain.enquiries import two_days
from bookings.board.models import Bid, Enquiry
from bookings.board.notifications.enquiries import _BIDS, KINDS, _of_bid
from bookings.board.selectors.enquiries import bids_in, enquiries_in, shown_bids, shown_enquiries
from bookings.models import Reservation
from instruments.rates.messages import PRICE_GROUP_LABELS
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def enquiry(cast, client, clock):  # noqa: F811
    client.force_login(cast.zhao)
    return enquiry_of(cast)


def ticked(html):
    return re.findall(r'value="(2026[^"]+)"[^>]*?checked', html)


def offered(html):
    return re.findall(r'name="starts"\s+value="([^"]+)"', html)


def test_two_times_never_take_each_others_place():
    hours = [FIRST + n * HOUR for n in range(6)]
    assert two_days([]) == []
    assert two_days(hours) == [FIRST]
    assert two_days([*hours, FIRST + DAY, FIRST + 2 * DAY]) == [FIRST, FIRST + DAY]


def test_a_bid_is_made_of_the_free_times_that_are_ticked(cast, client, enquiry):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    html = page_of(client.get(address))
    assert not ticked(html) and "data-total" not in html
    times = offered(html)
    starts = [times[0], times[-1]]
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": starts}
    assert client.post(address, form).status_code == 302
    assert [s.isoformat() for s in Bid.objects.get().starts] == starts
    again = page_of(client.get(address))
    assert reverse("bookings:bid-amend", args=[Bid.objects.get().pk]) in again


def test_asking_for_later_days_keeps_what_was_entered_and_does_nothing(cast, client, enquiry):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    few = offered(page_of(client.get(address)))
    form = {
        "instrument": str(cast.microscope.pk),
        "service_mode": "assisted",
        "starts": [few[1]],
        "text": "We gladly do it.",
        "days": "5",
        "show": "days",
    }
    html = page_of(client.post(address, form))
    assert len(offered(html)) > len(few)
    assert ticked(html) == [few[1]] and "We gladly do it." in html
    assert "invalid-feedback" not in html
    assert not Bid.objects.exists()


@pytest.mark.parametrize("starts", [[], ["2026-03-09T01:07:00+00:00"], ["tomorrow"], ["\0"]])
def test_what_is_not_free_is_not_offered_and_not_taken(cast, client, enquiry, starts):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": starts}
    answer = client.post(address, form)
    assert answer.status_code == 400
    assert "id_starts_error" in answer.content.decode()
    assert not Bid.objects.exists() and not Reservation.objects.exists()


def test_three_times_are_one_too_many(cast, client, enquiry):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    starts = offered(page_of(client.get(address)))[:15:6]
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": starts}
    answer = client.post(address, form)
    assert answer.status_code == 400
    assert ticked(answer.content.decode()) == starts  # what was chosen is still there
    assert not Bid.objects.exists()


def test_a_bid_is_changed_with_its_own_times_counted_as_free(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    address = reverse("bookings:bid-amend", args=[bid.pk])
    html = page_of(client.get(address))
    assert ticked(html) == [FIRST.isoformat(), (FIRST + DAY).isoformat()]
    assert "We gladly measure it." in html
    later = FIRST + HOUR / 2  # overlaps its own time
    form = {
        "instrument": str(cast.microscope.pk),
        "service_mode": "assisted",
        "starts": [later.isoformat()],
        "text": "Half an hour later.",
    }
    assert client.post(address, form).status_code == 302
    bid.refresh_from_db()
    assert (bid.state, bid.text) == ("amended", "Half an hour later.")
    bid = Bid.objects.get()
    assert bid.starts == [later]


@pytest.mark.parametrize("who", ["sun", "chen", "hu"])
def test_nobody_else_changes_a_bid(cast, client, enquiry, who):
    bid = bid_of(cast, enquiry)
    client.force_login(cast.people[who])
    address = reverse("bookings:bid-amend", args=[bid.pk])
    assert client.get(address).status_code == 404
    assert client.post(address, {"starts": FIRST.isoformat()}).status_code == 404
    bid.refresh_from_db()
    assert bid.version == 1


def test_a_bid_that_is_gone_cannot_be_changed(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    client.post(reverse("bookings:bid-withdraw", args=[bid.pk]))
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": FIRST.isoformat()}
    answer = client.post(reverse("bookings:bid-amend", args=[bid.pk]), form)
    assert answer.status_code == 409
    bid.refresh_from_db()
    assert bid.state == "withdrawn"


def test_hosts_search_by_the_sample_and_by_nothing_that_is_secret(cast, client, enquiry):
    address = reverse("bookings:open-enquiries")
    link = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    Enquiry.objects.update(sample="powder")
    for text, is_found in (("powder", True), ("secret alloy", False), ("Hefei", False)):
        assert (link in page_of(client.get(address, {"q": text}))) is is_found, text


@pytest.mark.parametrize("model", [Enquiry, Bid])
def test_a_state_finds_what_is_in_it_at_this_moment(cast, enquiry, model):
    bid_of(cast, enquiry)
    find, shown, over = {
        Enquiry: (enquiries_in, shown_enquiries, enquiry.closes_at),
        Bid: (bids_in, shown_bids, Bid.objects.get().valid_until),
    }[model]
    for now in (NOW, over - timedelta(seconds=1), over):
        (row,) = shown(model.objects.all(), now)
        found = [state for state in model.State.values if find(model.objects.all(), state, now)]
        assert found == [row.shown_state]


def test_an_enquiry_to_several_regions_is_listed_once(cast, client, clock):  # noqa: F811
    row = enquiry_of(cast, regions=["CN-AH", "CN-SH"], hosts=["ustc"])
    client.force_login(cast.zhao)
    page = page_of(client.get(reverse("bookings:open-enquiries")))
    assert page.count(reverse("bookings:enquiry-answer", args=[row.pk])) == 1


def test_a_button_is_there_as_long_as_its_act_is_carried_out(cast, client, enquiry, clock):  # noqa: F811
    bid = bid_of(cast, enquiry)
    address = reverse("bookings:bid-withdraw", args=[bid.pk])
    assert address in page_of(client.get(reverse("bookings:bids")))
    Bid.objects.update(valid_until=NOW)
    assert address not in page_of(client.get(reverse("bookings:bids")))
    answer = client.post(address)
    assert answer.status_code == 409 and "alert-danger" in answer.content.decode()
    bid.refresh_from_db()
    assert (bid.state, bid.version) == ("made", 1)


def test_an_enquiry_is_closed_with_a_reason_that_there_is(cast, client, enquiry):
    client.force_login(enquiry.user)
    address = reverse("bookings:enquiry-close", args=[enquiry.pk])
    for reason in ("", "whim"):
        assert client.post(address, {"reason": reason}).status_code == 400
    assert Enquiry.objects.get().state == "open"
    answer = client.post(address, {"reason": "price"})
    assert answer.headers["Location"] == reverse("bookings:enquiry", args=[enquiry.pk])
    assert (Enquiry.objects.get().state, Enquiry.objects.get().reason) == ("unmet", "price")


def test_a_bid_has_a_page_that_says_why_it_was_declined(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    address = reverse("bookings:bid", args=[bid.pk])
    assert address in page_of(client.get(reverse("bookings:bids")))
    html = page_of(client.get(address))
    assert "We gladly measure it." in html and reverse("bookings:bid-amend", args=[bid.pk]) in html
    client.force_login(cast.hu)
    html = page_of(client.get(address))
    assert reverse("bookings:enquiry-accept", args=[enquiry.pk]) in html
    decline = reverse("bookings:bid-decline", args=[bid.pk])
    assert client.post(decline, {"reason": "whim"}).status_code == 400
    assert client.post(decline, {"reason": "price"}).status_code == 302
    client.force_login(cast.zhao)
    for page in (reverse("bookings:bids"), address):
        assert "price too high" in page_of(client.get(page))


def test_a_lower_price_is_typed_with_its_reason(cast, client, enquiry):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    form = {
        "instrument": str(cast.microscope.pk),
        "service_mode": "assisted",
        "starts": [FIRST.isoformat()],
        "discount_percent": "20",
    }
    answer = client.post(address, form)
    assert answer.status_code == 400 and "id_discount_reason_error" in answer.content.decode()
    assert client.post(address, form | {"discount_percent": "-1"}).status_code == 400
    assert not Bid.objects.exists()
    assert client.post(address, form | {"discount_reason": "A quiet week."}).status_code == 302
    assert 'value="20' in page_of(client.get(reverse("bookings:bid-amend", args=[Bid.objects.get().pk])))
    client.force_login(cast.hu)
    html = page_of(client.get(reverse("bookings:enquiry", args=[enquiry.pk])))
    assert "20 % below the rate card" in html and "A quiet week." in html


def prices(html):
    return re.findall(r"data-total>([^<]+)<", html)


def test_the_price_follows_the_typed_discount_as_the_bid_will_have_it(cast, client, enquiry):
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    form = {
        "instrument": str(cast.microscope.pk),
        "service_mode": "assisted",
        "starts": [(FIRST + DAY).isoformat(), FIRST.isoformat()],
        "discount_reason": "A quiet week.",
    }
    part = {"HX-Request": "true", "HX-Target": "bid-price"}

    def asked(percent):
        sent = form | {"show": "price", "discount_percent": percent}
        return client.post(address, sent, headers=part).content.decode()

    by_card = prices(asked(""))
    assert len(by_card) == 2 and prices(page_of(client.get(address))) == []
    form["starts"] = []
    assert prices(asked("")) == []  # the list follows what is ticked
    form["starts"] = [(FIRST + DAY).isoformat(), FIRST.isoformat()]
    assert "<form" not in asked("")
    lower = prices(asked("12.5"))
    assert lower != by_card
    for wrong in ("101", "-1", "x"):
        html = asked(wrong)
        assert not prices(html) and "text-danger" in html
    assert not Bid.objects.exists()
    client.post(address, form | {"discount_percent": "12.5"})
    slots = Bid.objects.get().slots.order_by("reservation__start_at")
    assert [f"{slot.currency} {slot.total:,.2f}" for slot in slots] == lower
    assert prices(page_of(client.get(reverse("bookings:bid-amend", args=[Bid.objects.get().pk])))) == lower


@pytest.mark.parametrize(
    ("policy", "mode", "why"),
    [
        ({"qualification": "instrument"}, "self", "why is confidential until the award"),
        ({"max_minutes": 60}, "assisted", "The longest booking is 60 minutes."),
        ({"horizon_days": dict.fromkeys(PRICE_GROUP_LABELS, 0)}, "assisted", "ahead"),
    ],
)
def test_the_form_says_why_no_time_can_be_offered(cast, client, enquiry, policy, mode, why):
    strict = cast.instrument(name="Strict", policy=policy)
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    html = page_of(client.get(address, {"instrument": strict.pk, "service_mode": mode}))
    assert not offered(html)
    said = html.split("data-why-not")[1].split("</ul>")[0]
    assert why in said and "not open for all of this time" not in said


def test_a_time_that_was_taken_meanwhile_is_named_in_words(cast, client, enquiry):
    taken = ["2026-03-09T01:07:00"]
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": taken}
    answer = client.post(reverse("bookings:enquiry-answer", args=[enquiry.pk]), form)
    html = answer.content.decode()
    assert answer.status_code == 400 and "is no longer free" in html and "2026-03-09T01:07:00" not in html


def test_the_subject_of_a_bid_names_its_times_apart_and_their_clock(cast, client, enquiry):
    bid = bid_of(cast, enquiry, starts=[FIRST, FIRST + DAY])
    content = _of_bid(_BIDS.get(pk=bid.pk), OutboxMessage(kind="bid.made"), NOW)
    words = {"instrument": "Microscope"}
    cast.hu.time_zone = "Asia/Shanghai"
    told = subject_of(KINDS["bid.made"], content, words, cast.hu)
    assert told == "Bid for your enquiry: Microscope, Mon 9 Mar 09:00, Tue 10 Mar 09:00"
    cast.hu.time_zone = "Europe/London"
    told = subject_of(KINDS["bid.made"], content, words, cast.hu)
    assert told.endswith("Mon 9 Mar 01:00, Tue 10 Mar 01:00 (London time)")
