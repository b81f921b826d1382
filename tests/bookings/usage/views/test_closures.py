"""Closing an instrument from its page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import role_grant
from bookings.models import Closure, Occupancy, Reservation
from bookings.usage.forms.closures import ClosureForm
from bookings.usage.services.closures import Outage, closure_create
from tests.factories.cast import NOW, at, reserve


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def zhao(cast, noon):
    return signed_in(cast.zhao)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def address(cast, instrument=None):
    return reverse("bookings:closures", args=[(instrument or cast.microscope).pk])


CLOSE = {"kind": "maintenance", "start": "2026-03-06T09:00", "end": "2026-03-06T12:00", "reason": "new pump"}


def close(cast, start, end, **values):
    return closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("calibration", at(start), at(end) if end else None, **values),
        displace=False,
    )


def test_closed_in_the_instruments_own_zone(cast, zhao):
    response = zhao.post(address(cast), CLOSE)
    assert response.url == address(cast)
    made = Closure.objects.get()
    assert made.start_at == at("2026-03-06 09:00")
    assert made.end_at == at("2026-03-06 12:00")
    html = zhao.get(address(cast)).content.decode()
    assert "Fri 6 Mar 2026, 09:00 – 12:00" in html
    assert "new pump" in html
    assert "Beijing time" in html


def test_end_may_be_unknown(cast, zhao):
    zhao.post(address(cast), CLOSE | {"kind": "breakdown", "start": "2026-03-05T11:00", "end": ""})
    assert Closure.objects.get().end_at is None
    html = zhao.get(address(cast)).content.decode()
    assert "Closed now" in html
    assert "not known yet" in html


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"start": ""}, "start", "This field is required."),
        ({"start": "soon"}, "start", "This is not a time."),
        ({"start": "2026-03-06T09:00Z"}, "start", "This is not a time."),
        ({"end": "2026-03-06T09:00"}, "end", "This must be after the start."),
        ({"kind": "holiday"}, "kind", "valid choice"),
        ({"reason": "x" * 501}, "reason", "at most 500"),
    ],
)
def test_refused_at_the_field_and_nothing_written(cast, zhao, changes, field, text):
    response = zhao.post(address(cast), CLOSE | changes)
    html = response.content.decode()
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert Closure.objects.count() == 0


def test_closed_already(cast, zhao):
    zhao.post(address(cast), CLOSE)
    response = zhao.post(address(cast), CLOSE)
    assert response.status_code == 400
    assert "Some of this time is closed already." in response.content.decode()
    assert Closure.objects.count() == 1


def test_bookings_in_the_way_are_listed_then_displaced_on_the_managers_word(cast, zhao):
    reservation = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    response = zhao.post(address(cast), CLOSE)
    html = response.content.decode()
    assert response.status_code == 409
    assert "1 booking during this time" in html
    assert "Wang Li" in html
    assert "Fudan University" in html
    assert "Fri 6 Mar 2026, 10:00 – 11:00" in html
    for name, value in CLOSE.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in html
    assert Closure.objects.count() == 0
    assert zhao.post(address(cast), CLOSE | {"displace": "1"}).status_code == 302
    assert Reservation.objects.get(pk=reservation.pk).state == "displaced"


def test_only_some_units(cast, zhao):
    pool = cast.instrument(name="Pool", policy={"units": 3})
    assert 'name="units"' in zhao.get(address(cast, pool)).content.decode()
    zhao.post(address(cast, pool), CLOSE | {"units": ["2", "3"]})
    assert Closure.objects.get().units == [2, 3]
    assert zhao.post(address(cast, pool), CLOSE | {"units": ["4"]}).status_code == 400


def test_a_single_unit_is_not_asked_for(cast, zhao):
    assert 'name="units"' not in zhao.get(address(cast)).content.decode()


def test_ended_now(cast, zhao):
    closure = close(cast, "2026-03-05 11:00", None)
    response = zhao.post(reverse("bookings:closure-end", args=[closure.pk]))
    assert response.url == address(cast)
    closure.refresh_from_db()
    assert closure.end_at == NOW
    assert Occupancy.objects.count() == 0


def test_ended_at_a_moment_of_the_instruments_zone(cast, zhao):
    closure = close(cast, "2026-03-05 11:00", None)
    zhao.post(reverse("bookings:closure-end", args=[closure.pk]), {"end": "2026-03-05T18:00"})
    closure.refresh_from_db()
    assert closure.end_at == at("2026-03-05 18:00")


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ("2026-03-05T10:00", "This must be after the start."),
        ("2026-03-09T10:00", "A closure can only be ended earlier than planned."),
        ("later", "This is not a time."),
    ],
)
def test_ending_refused_is_said_and_nothing_written(cast, zhao, end, text):
    closure = close(cast, "2026-03-05 11:00", "2026-03-05 20:00")
    response = zhao.post(reverse("bookings:closure-end", args=[closure.pk]), {"end": end})
    assert response.status_code == 400
    assert text in response.content.decode()
    closure.refresh_from_db()
    assert closure.end_at == at("2026-03-05 20:00")


def test_ending_what_has_ended_is_409(cast, zhao):
    closure = close(cast, "2026-03-05 08:00", "2026-03-05 09:00")
    response = zhao.post(reverse("bookings:closure-end", args=[closure.pk]))
    assert response.status_code == 409
    assert "has ended already" in response.content.decode()


def test_taken_back_before_it_begins_only(cast, zhao):
    coming = close(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    begun = close(cast, "2026-03-05 11:00", "2026-03-05 13:00")
    zhao.post(reverse("bookings:closure-delete", args=[coming.pk]))
    response = zhao.post(reverse("bookings:closure-delete", args=[begun.pk]))
    assert response.status_code == 409
    assert "it can be ended, not withdrawn" in response.content.decode()
    assert list(Closure.objects.all()) == [begun]


def test_for_managers_of_the_owner_only(cast, noon):
    closure = close(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    for name in ("chen", "sun"):
        client = signed_in(cast.people[name])
        assert client.get(address(cast)).status_code == 403
        assert client.post(address(cast), CLOSE).status_code == 403
        for act in ("end", "delete"):
            url = reverse(f"bookings:closure-{act}", args=[closure.pk])
            assert client.post(url).status_code == 403
    assert Closure.objects.count() == 1


def test_unknown_closure_is_not_found(cast, zhao):
    url = reverse("bookings:closure-end", args=[cast.microscope.pk])
    assert zhao.post(url).status_code == 404


def test_statements_do_not_grow_with_closures(cast, zhao, django_assert_num_queries):
    close(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    zhao.get(address(cast))
    with django_assert_num_queries(8):
        zhao.get(address(cast))
    for day in (7, 8, 9):
        close(cast, f"2026-03-0{day} 11:00", f"2026-03-0{day} 12:00")
    with django_assert_num_queries(8):
        zhao.get(address(cast))


def test_clock_change_is_read_as_opening_hours_are():
    from zoneinfo import ZoneInfo

    from bookings.usage.forms.closures import ClosureForm

    form = ClosureForm(
        CLOSE | {"start": "2025-03-09T02:30", "end": "2025-11-02T01:30"},
        zone=ZoneInfo("America/Chicago"),
        units=1,
    )
    assert form.is_valid()
    assert form.cleaned_data["start"].isoformat() == "2025-03-09T08:30:00+00:00"
    assert form.cleaned_data["end"].isoformat() == "2025-11-02T07:30:00+00:00"
    assert form.cleaned_data["end"].utcoffset() == timedelta(0)


@pytest.fixture
def own(cast, noon):
    """A booking of the manager's own, so near that cancelling it costs something."""
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    made_at = NOW - timedelta(minutes=11)  # second thoughts are over
    return reserve(cast, "2026-03-05 14:00", "2026-03-05 16:00", who="zhao", now=made_at)


def test_what_displacing_ones_own_costs_is_said_before(cast, zhao, own):
    values = CLOSE | {"start": "2026-03-05T13:00", "end": "2026-03-05T17:00"}
    response = zhao.post(address(cast), values)
    assert response.status_code == 409
    said = "Your own booking: displacing it costs CNY 340.00, unless another manager closes"
    assert said in response.content.decode()
    board = reverse("bookings:board-close", args=[cast.microscope.pk])
    assert said in zhao.post(board, values).content.decode()
    assert not Closure.objects.exists()


def test_what_cancelling_ones_own_costs_is_said_to_a_manager_too(cast, zhao, own):
    page = zhao.get(reverse("bookings:reservation", args=[own.pk])).content.decode()
    assert "Cancelling now costs 100 %: CNY 340.00 and CNY 0.00 tax." in page


def test_why_asks_for_a_kind_only_where_an_instrument_is_closed():
    with override("zh-hans"):
        assert str(ClosureForm.base_fields["kind"].label) == "停机类型"
        assert gettext("Why") == "原因"  # of an override, a norm, a bar
