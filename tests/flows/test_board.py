"""A confidential firm asks the board, USTC answers, the bid is accepted and booked, all by API."""

from datetime import timedelta

import pytest

from accounts.models import Message
from bookings.board.services.enquiries import enquiries_settle
from bookings.models import Reservation
from bookings.overview.services.effects import effects_carry_out
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import NOW
from tests.factories.needs import measurand_of

pytestmark = pytest.mark.django_db


def told(cast, name):
    while effects_carry_out(now=NOW):
        pass
    rows = Message.objects.filter(user=cast.people[name])
    return {row.kind: f"{row.subject} {row.text}" for row in rows}


def test_a_confidential_firms_enquiry_is_answered_accepted_and_booked(cast, program, clock):  # noqa: F811
    measurand_of(cast)
    vocabulary_changed()
    hu, zhao, wang = program("hu"), program("zhao"), program("wang")
    need = hu.post(
        "needs/",
        {
            "text": "grain size of our secret alloy",
            "earliest": "2026-03-06T08:00:00+08:00",
            "latest": "2026-03-27T20:00:00+08:00",
            "minutes": 120,
            "budget": "4321.00",
        },
    ).body["id"]
    asked = hu.post("enquiries/", {"need": need, "sample": "ingot"})
    assert (asked.status, asked.body["is_confidential"]) == (201, True)
    assert hu.post("enquiries/", {"need": need}).status == 409

    assert "secret alloy" not in told(cast, "zhao")["enquiry.made"]
    (seen,) = zhao.get("board/").body["results"]
    assert (seen["organisation"], seen["text"], seen["sample"]) == (None, None, "ingot")
    assert seen["price_groups"] == {str(cast.microscope.pk): "industry"}
    assert wang.get("board/").body["results"] == []

    body = {
        "enquiry": seen["id"],
        "instrument": str(cast.microscope.pk),
        "starts": ["2026-03-09T09:00:00+08:00", "2026-03-10T09:00:00+08:00"],
        "service_mode": "assisted",
        "conditions": ["after-test"],
    }
    assert wang.post("bids/", body).status == 404
    bid = zhao.post("bids/", body)
    assert (bid.status, bid.body["state"]) == (201, "made")
    assert zhao.post("bids/", body).status == 409
    assert zhao.get("reservations/").body["results"] == []

    where = f"enquiries/{asked.body['id']}/"
    (offered,) = hu.get(where).body["bids"]
    first = offered["slots"][0]
    booked = hu.post(where + "accept/", {"slot": first["id"]})
    assert (booked.status, booked.body["state"]) == (200, "awarded")
    made = Reservation.objects.get(pk=booked.body["reservation"])
    assert (made.state, made.user) == ("confirmed", cast.hu)
    assert hu.post(where + "accept/", {"slot": offered["slots"][1]["id"]}).status == 409
    assert "Hu Bo" in told(cast, "zhao")["bid.accepted"]
    (theirs,) = zhao.get("reservations/").body["results"]
    assert theirs["id"] == str(made.pk)

    Reservation.objects.filter(pk=made.pk).update(state="completed")
    enquiries_settle(now=NOW + timedelta(days=10))
    assert hu.get(where).body["state"] == "fulfilled"
