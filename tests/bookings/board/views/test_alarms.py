"""The page of an alarm says its rule in words, shows what it counts, and what can be done about it."""

import re
from html import unescape

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.board.models import IdleAlarm
from bookings.board.services.alarms import threshold_add
from tests.accounts.pages import page_of
from tests.factories.alarms import alarm_of
from tests.factories.cast import NOW


@pytest.fixture
def client_of(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)

    def of(who):
        client = Client()
        client.force_login(cast.people[who])
        return client

    return of


RULES = [
    ("not_in_service", "no session for more than 180 days since it was accepted"),
    ("published_late", "accepted more than 30 working days ago and has not been published"),
    ("idle", "open on 60 days in a row without a session, or used for less than 10 %"),
    ("under_used", "used for less than 50 % of its norm hours"),
    ("not_shared", "less than 7 % of its used hours"),
    ("demand_idle", "in vain at least 3 times within 90 days"),
]


@pytest.mark.parametrize(("kind", "rule"), RULES)
def test_each_kind_says_its_rule_with_its_threshold(cast, client_of, kind, rule):
    alarm = alarm_of(cast.microscope)
    IdleAlarm.objects.filter(pk=alarm.pk).update(kind=kind)
    page = page_of(client_of("zhao").get(reverse("bookings:alarm", args=[alarm.pk])))
    assert rule in " ".join(page.split())


def test_the_threshold_is_the_one_in_force_in_the_region(cast, client_of):
    alarm = alarm_of(cast.microscope)
    IdleAlarm.objects.filter(pk=alarm.pk).update(kind="under_used", checked_at=NOW)
    by = By(cast.actor("admin"), NOW)
    threshold_add(
        by,
        parameter="under_used_percent",
        value=40,
        valid_from=NOW.date(),
        source="Decided in March.",
        region=cast.anhui,
    )
    page = page_of(client_of("zhao").get(reverse("bookings:alarm", args=[alarm.pk])))
    assert "less than 40 % of its norm hours" in page


def test_its_numbers_open_their_rows_and_the_owner_is_told_what_to_do(cast, client_of):
    alarm = alarm_of(cast.microscope)
    address = reverse("bookings:alarm", args=[alarm.pk])
    page = page_of(client_of("zhao").get(address))
    for name in ("instruments:policy", "instruments:rate-cards", "instruments:opening", "bookings:closures"):
        assert reverse(name, args=[cast.microscope.pk]) in page
    hours = reverse("bookings:hours-days")
    assert f"{hours}?state=productive&amp;instrument={cast.microscope.pk}&amp;since=" in page
    codes = ",".join(cast.microscope.techniques.order_by("code").values_list("code", flat=True))
    assert codes
    demand = re.search(rf'href="({reverse("bookings:hours-demand")}[^"]+)"', page)
    chosen = QueryDict(unescape(demand[1]).partition("?")[2])
    assert chosen["techniques"] == codes and chosen["regions"] == cast.anhui.code
    only = page_of(client_of("zhao").get(unescape(demand[1])))
    assert "data-only" in only and cast.anhui.name in only and 'name="techniques"' in only
    # Who does not manage it reads the rule, and is offered nothing.
    other = page_of(client_of("auditor").get(address))
    assert "data-rule" in other and reverse("instruments:policy", args=[cast.microscope.pk]) not in other
