"""The inbox of requests and the manager's word on each."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import PLATFORM, By
from bookings.models import Reservation
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.training.models import Qualification
from tests.factories.cast import NOW, at, reserve
from tests.factories.qualifications import certify

INBOX = "/requests/"


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def asked(cast):
    """An instrument whose owner answers, and a request of Wang Li for it."""
    instrument = cast.instrument(name="Mass spectrometer", policy={"approval": "manual"})
    return reserve(
        cast,
        "2026-03-06 10:00",
        "2026-03-06 12:00",
        instrument=instrument,
        purpose_text="Lipids of mouse liver",
        samples="12 vials, not toxic",
    )


@pytest.fixture
def zhao(cast, noon):
    return signed_in(cast.zhao)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def decide(client, reservation, approve, **more):
    return client.post(reverse("bookings:decide", args=[reservation.pk]), {"approve": approve, **more})


def state(reservation) -> str:
    return Reservation.objects.get(pk=reservation.pk).state


def test_everything_needed_is_on_one_screen(cast, asked, zhao):
    html = zhao.get(INBOX).content.decode()
    for text in (
        "Mass spectrometer",
        "Fri 6 Mar 2026, 10:00 – 12:00",
        "(Beijing time)",
        "Wang Li",
        "wang@fudan.example",
        "Fudan University, Shanghai",
        "another region",
        "on your own",
        "Lipids of mouse liver",
        "12 vials, not toxic",
        "CNY 657.20",
        "Answer by Fri 6 Mar 2026, 10:00",
        "first time at this instrument",
        "no other bookings",
    ):
        assert text in html


def test_what_else_is_booked_that_day_and_the_persons_past(cast, asked, zhao):
    instrument = asked.instrument
    other = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="sun", instrument=instrument)
    early = reserve(
        cast, "2026-03-03 10:00", "2026-03-03 11:00", instrument=instrument, now=NOW - timedelta(days=5)
    )
    Reservation.objects.filter(pk=early.pk).update(state="confirmed")
    actor = cast.actor("wang")
    reservation_check_in(By(actor, at("2026-03-03 10:00")), reservation_id=early.pk)
    reservation_check_out(By(actor, at("2026-03-03 10:30")), reservation_id=early.pk)
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=instrument.pk,
        outage=Outage("training", at("2026-03-06 17:00"), None),
        displace=False,
    )
    item = opened(zhao, asked)
    assert (item.completed, item.missed, item.last) == (1, 0, (early,))
    assert [n.reservation or n.closure.kind for n in item.neighbours] == [other, "training"]
    assert [band.kind for band in item.bands] == ["open", "taken", "closure", "asked"]
    # From 10 to 12 o'clock of the day.
    assert (item.bands[-1].start, item.bands[-1].width) == ("41.667%", "8.333%")
    assert opened(zhao, other).neighbours[0].reservation == asked


def opened(client, reservation):
    return client.get(INBOX, {"of": reservation.pk}).context["item"]


def test_what_accepting_would_refuse_is_said_before(cast, zhao):
    guarded = cast.instrument(name="Guarded", policy={"approval": "manual", "qualification": "instrument"})
    certify(cast, guarded)
    asked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=guarded)
    assert opened(zhao, asked).refusals == ()
    Qualification.objects.update(revoked_at=NOW)
    assert [r.code for r in opened(zhao, asked).refusals] == ["qualification-expires"]
    assert "It cannot be accepted until this is resolved." in zhao.get(INBOX).content.decode()


def test_the_next_one_opens_after_an_answer_and_several_get_one_answer(cast, asked, zhao):
    others = [
        reserve(cast, f"2026-03-06 {h}:00", f"2026-03-06 {h + 1}:00", instrument=asked.instrument)
        for h in (13, 15, 17)
    ]
    first = decide(zhao, asked, "1", version=asked.version)
    assert first.url == f"{INBOX}?of={others[0].pk}"
    many = reverse("bookings:decide-many")
    nothing = zhao.post(many, {"approve": "1"})
    assert nothing.status_code == 400
    assert "Choose at least one request." in nothing.content.decode()
    chosen = [f"{other.pk}:{other.version}" for other in others[:2]]
    unsaid = zhao.post(many, {"approve": "0", "chosen": chosen, "reason": " "})
    assert unsaid.status_code == 400
    html = unsaid.content.decode()
    assert unsaid.context["ticked"] == [other.pk for other in others[:2]]
    assert html.count("checked") == 3 and 'aria-describedby="many-reason-error"' in html  # one: the keys
    Reservation.objects.filter(pk=others[1].pk).update(made_by=cast.zhao)  # not hers to decide
    done = zhao.post(many, {"approve": "1", "chosen": chosen}, follow=True)
    assert "1 request accepted." in done.content.decode()
    assert [state(other) for other in others] == ["confirmed", "requested", "requested"]
    assert len(done.context["rows"]) == 2


def test_empty_inbox_says_why(cast, zhao):
    assert "No requests to answer" in zhao.get(INBOX).content.decode()


def test_inbox_is_for_managers_and_shows_their_own_only(cast, asked, noon):
    assert signed_in(cast.sun).get(INBOX).status_code == 403
    assert "Wang Li" not in signed_in(cast.chen).get(INBOX).content.decode().split("<main")[1]


def test_accepted(cast, asked, zhao):
    response = decide(zhao, asked, "1", version=asked.version)
    assert response.url == INBOX
    assert state(asked) == "confirmed"
    assert "Accepted. Wang Li is notified by mail." in zhao.get(INBOX).content.decode()


def test_declined_with_a_reason(cast, asked, zhao):
    assert decide(zhao, asked, "0", reason="No hood free").status_code == 302
    declined = Reservation.objects.get(pk=asked.pk)
    assert (declined.state, declined.reason) == ("rejected", "No hood free")


@pytest.mark.parametrize("reason", ["", "   "])
def test_declining_needs_a_reason(cast, asked, zhao, reason):
    response = decide(zhao, asked, "0", reason=reason)
    html = response.content.decode()
    assert response.status_code == 400
    assert "Give a reason: the applicant reads it." in html
    assert f'aria-describedby="reason-{asked.pk}-error"' in html
    assert state(asked) == "requested"


def test_nothing_said_is_400(cast, asked, zhao):
    assert zhao.post(reverse("bookings:decide", args=[asked.pk])).status_code == 400
    assert state(asked) == "requested"


def test_changed_meanwhile_is_412(cast, asked, zhao):
    response = decide(zhao, asked, "1", version=asked.version + 1)
    assert response.status_code == 412
    assert "Somebody has changed this" in response.content.decode()
    assert state(asked) == "requested"


def test_too_late_is_409(cast, asked, zhao, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: at("2026-03-06 10:00"))
    response = decide(zhao, asked, "1")
    assert response.status_code == 409
    assert "no longer possible" in response.content.decode()
    assert state(asked) == "requested"


def test_nobody_decides_on_their_own(cast, noon, asked):
    from accounts.services.memberships import role_grant

    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    own = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="sun", instrument=asked.instrument)
    sun = signed_in(cast.sun)
    assert "another manager decides" in sun.get(INBOX, {"of": own.pk}).content.decode()
    assert decide(sun, own, "1").status_code == 409
    assert state(own) == "requested"


def test_managers_of_others_may_not(cast, asked, noon):
    # Chen manages the payer: she sees the request but has no say.
    assert decide(signed_in(cast.chen), asked, "1").status_code == 403
    # Hu is nobody in this.
    assert decide(signed_in(cast.hu), asked, "1").status_code == 404
    assert state(asked) == "requested"


def test_statements_do_not_grow_with_requests(cast, asked, zhao, django_assert_num_queries):
    zhao.get(INBOX)
    with django_assert_num_queries(13):
        zhao.get(INBOX)
    for hour in (13, 15):
        reserve(
            cast, f"2026-03-06 {hour}:00", f"2026-03-06 {hour + 1}:00", who="sun", instrument=asked.instrument
        )
    with django_assert_num_queries(13):
        zhao.get(INBOX)


def test_a_request_is_found_by_its_purpose(cast, asked, zhao):
    reserve(cast, "2026-03-06 13:00", "2026-03-06 14:00", instrument=asked.instrument, purpose_text="Alloys")
    found = [row.pk for row, _ in zhao.get(INBOX, {"q": "mouse LIVER"}).context["rows"]]
    assert found == [asked.pk]
