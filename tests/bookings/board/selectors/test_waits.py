"""How many enquiries wait for a host's bid, and how many bids for a decision."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.selectors.waits import load_work
from bookings.models import Reservation
from config.templatetags.display import moment
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db


def waiting(cast, who, now=NOW):
    found = {each.what: each.number for each in load_work(cast.actor(who), now)}
    return {what: number for what, number in found.items() if what in ("bids", "enquiries")}


def test_an_enquiry_waits_for_its_hosts_and_a_bid_for_its_person(cast):
    everybody = ("zhao", "chen", "hu", "sun", "gao", "admin")
    assert {who: waiting(cast, who) for who in everybody} == {who: {} for who in everybody}
    enquiry = enquiry_of(cast)
    assert {who for who in everybody if waiting(cast, who)} == {"zhao"}
    assert waiting(cast, "zhao") == {"enquiries": 1}
    assert waiting(cast, "zhao", enquiry.closes_at) == {}
    bid = bid_of(cast, enquiry, starts=[FIRST])
    assert {who: waiting(cast, who) for who in everybody if waiting(cast, who)} == {"hu": {"bids": 1}}
    # The bid has lapsed: the host can bid again.
    later = bid.valid_until
    assert (waiting(cast, "hu", later), waiting(cast, "zhao", later)) == ({}, {"enquiries": 1})


@pytest.mark.parametrize(
    ("regions", "hosts", "is_asked"),
    [(["CN-AH"], [], True), (["CN-SH"], [], False), ([], ["ustc"], True), ([], ["fudan"], False)],
)
def test_only_hosts_to_which_it_goes_are_asked(cast, regions, hosts, is_asked):
    enquiry_of(cast, regions=regions, hosts=hosts)
    assert bool(waiting(cast, "zhao")) is is_asked


def test_the_home_leads_to_the_lists_of_what_waits(cast, client, clock):  # noqa: F811
    enquiry = enquiry_of(cast)
    client.force_login(cast.zhao)
    listed = reverse("bookings:open-enquiries") + "?waits=enquiries"
    assert f'href="{listed}"' in page_of(client.get("/home/"))
    answer = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    assert answer in page_of(client.get(listed))
    bid_of(cast, enquiry, starts=[FIRST + timedelta(days=1)])
    assert answer not in page_of(client.get(listed))
    assert answer in page_of(client.get(reverse("bookings:open-enquiries")))
    client.force_login(cast.hu)
    listed = reverse("bookings:enquiries") + "?waits=bids"
    assert f'href="{listed}"' in page_of(client.get("/home/"))
    assert reverse("bookings:enquiry", args=[enquiry.pk]) in page_of(client.get(listed))


def test_a_bid_waits_until_its_first_time_is_given_up(cast, client, clock):  # noqa: F811
    """A time that is near is given up before the bid ends."""
    bid = bid_of(cast, enquiry_of(cast))
    first, second = (slot.reservation for slot in bid.slots.order_by("reservation__start_at"))
    Reservation.objects.filter(pk=first.pk).update(deadline_at=NOW + timedelta(hours=3))
    Reservation.objects.filter(pk=second.pk).update(deadline_at=NOW + timedelta(hours=30))

    def due(now):
        return [(w.number, w.due) for w in load_work(cast.actor("hu"), now) if w.what == "bids"]

    assert due(NOW) == [(1, (NOW + timedelta(hours=3)).date())]
    assert due(NOW + timedelta(hours=4)) == [(1, (NOW + timedelta(hours=30)).date())]
    assert due(NOW + timedelta(hours=31)) == []
    client.force_login(cast.hu)
    for page in (
        reverse("bookings:enquiry", args=[bid.enquiry_id]),
        reverse("bookings:bid", args=[bid.pk]),
        reverse("bookings:need", args=[bid.enquiry.need_id]),
    ):
        html = page_of(client.get(page))
        with timezone.override("Asia/Shanghai"):
            ends = [moment(NOW + timedelta(hours=hours)) for hours in (3, 30)]
            whole = moment(bid.valid_until)
        assert [f"held until {end}" in html for end in ends] == [True, True]
        assert f"held until {whole}" not in html
