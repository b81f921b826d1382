"""The host ticks charges as checked: for its own work, and nobody else's."""

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.charging.selectors.stories import record_story
from bookings.charging.services.checks import charge_check
from bookings.models import Charge
from tests.accounts.pages import page_of
from tests.factories.cast import NOW
from tests.factories.charges import use
from tests.factories.money import charge_of, store

LIST = reverse("bookings:money-charges")


@pytest.fixture
def charges(cast):
    rows = [charge_of(cast, total="318.00"), charge_of(cast, total="106.00"), charge_of(cast, total="212.00")]
    store(rows)
    return rows


@pytest.fixture
def zhao(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    client = Client()
    client.force_login(cast.zhao)
    return client


def check(cast, charge, who="zhao", *, checked=True, now=NOW):
    return charge_check(By(cast.actor(who), now), charge_id=charge.pk, checked=checked)


def again(charge):
    return Charge.objects.get(pk=charge.pk)


def test_it_keeps_who_and_when_and_changes_nothing_of_the_charge(cast, charges):
    charge = charges[0]
    check(cast, charge)
    check(cast, charge, "gao", now=NOW + timedelta(hours=1))  # twice: the first tick stays
    found = again(charge)
    assert (found.checked_at, found.checked_by) == (NOW, cast.zhao)
    assert (found.version, found.state, found.total) == (charge.version, charge.state, charge.total)
    check(cast, charge, "gao", checked=False)
    assert (again(charge).checked_at, again(charge).checked_by) == (None, None)
    acts = TrailEntry.objects.filter(object_id=charge.pk, action__contains="check")
    assert list(acts.order_by("pk").values_list("action", flat=True)) == ["charge.check", "charge.uncheck"]


def test_only_the_host_reads_that_it_ticked(cast, charges):
    check(cast, charges[0])
    check(cast, charges[0], checked=False)
    told = {
        who: [step.entry.action for step in record_story(cast.actor(who), charges[0].pk)]
        for who in ("gao", "lin")
    }
    assert told["gao"][-2:] == ["charge.check", "charge.uncheck"]
    assert not {"charge.check", "charge.uncheck"} & set(told["lin"])


def test_a_sum_leads_to_the_charges_that_it_was_made_of(cast, charges, zhao):
    check(cast, charges[0])
    query = {"by": "person", "unchecked": "on", "state": charges[0].state, "page": "1"}
    (group,) = zhao.get(LIST, query).context["groups"]
    assert dict(parse_qsl(group.address[1:])) == {
        "unchecked": "on", "state": charges[0].state, "person": str(cast.people["wang"].pk), "side": "owed",
        "currency": "CNY",
    }  # fmt: skip
    rows = list(zhao.get(LIST + group.address).context["page"])
    assert len(rows) == group.number == 2
    assert not list(zhao.get(LIST, {"q": "wang@fudan"}).context["page"])  # names are searched, not addresses


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("lin", NotPermitted), ("wang", NotPermitted), ("auditor", NotPermitted), ("alice", NotFound)],
)
def test_only_people_of_the_host_tick(cast, charges, who, refusal):
    with pytest.raises(refusal):
        check(cast, charges[0], who)
    assert again(charges[0]).checked_at is None


def test_the_list_is_narrowed_to_what_is_not_checked_and_ticked_at_once(cast, charges, zhao):
    address = reverse("bookings:money-charges-check-many")
    chosen = [str(row.pk) for row in charges[:2]]
    sent = zhao.post(f"{address}?unchecked=on", {"chosen": chosen, "checked": "1"})
    assert sent.url == f"{LIST}?unchecked=on"
    assert [row.pk for row in zhao.get(LIST, {"unchecked": "on"}).context["page"]] == [charges[2].pk]
    assert "checked " in page_of(zhao.get(LIST))
    zhao.post(address, {"chosen": chosen[:1], "checked": "0"})
    assert len(zhao.get(LIST, {"unchecked": "on"}).context["page"]) == 2
    zhao.post(address, {"chosen": ["nothing"], "checked": "1"})
    assert Charge.objects.exclude(checked_at=None).count() == 1


def test_the_page_of_a_charge_says_who_checked_it_to_the_host_alone(cast, zhao):
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    check(cast, charge)
    address = reverse("bookings:money-charges-one", args=[charge.pk])
    page = page_of(zhao.get(address))
    assert "Take the tick back" in page and "version 1, in force since" in page
    other = Client()
    other.force_login(cast.people["lin"])
    assert "Take the tick back" not in page_of(other.get(address))
    assert not other.get(LIST, {"unchecked": "on"}).context["form"].fields.get("unchecked")


def test_earned_and_owed_are_listed_apart(cast, charges, zhao):
    assert len(zhao.get(LIST, {"side": "owed"}).context["page"]) == 3
    assert len(zhao.get(LIST, {"side": "owing"}).context["page"]) == 0
    instrument = charges[0].reservation.instrument_id
    assert len(zhao.get(LIST, {"instrument": instrument}).context["page"]) == 3
    assert len(zhao.get(LIST, {"person": "wang@fudan.example"}).context["page"]) == 3
    assert len(zhao.get(LIST, {"person": "sun@ustc.example"}).context["page"]) == 0


def test_they_are_added_up_by_instrument_person_and_payer_each_side_apart(cast, charges, zhao):
    furnace = cast.instrument(name="Tube furnace", name_zh="管式炉")
    store([charge_of(cast, total="50.00", instrument=furnace)])
    sums = zhao.get(LIST, {"by": "instrument"}).context["groups"]
    assert [(one.name, one.side, one.number, f"{one.payable:.2f}") for one in sums] == [
        ("Transmission electron microscope", "owed", 3, "636.00"),
        ("Tube furnace", "owed", 1, "50.00"),
    ]
    assert sums[1].address == f"?instrument={furnace.pk}&currency=CNY&side=owed"
    assert len(zhao.get(LIST + sums[1].address).context["page"]) == 1
    (of_payer,) = zhao.get(LIST, {"by": "payer"}).context["groups"]
    (of_person,) = zhao.get(LIST, {"by": "person"}).context["groups"]
    assert (of_payer.number, of_person.number) == (4, 4)
    assert "Tube furnace" in page_of(zhao.get(LIST, {"by": "instrument"}))
    assert not zhao.get(LIST, {"by": "password"}).context["groups"]
