"""Exceptions name people and amounts, are ranked by risk, and are decided all at once."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from bookings import models
from bookings.audit.domain.risk import FIRST
from bookings.audit.selectors.audit import (
    EXCEPTIONS,
    exceptions_for,
    finding_records,
    own_findings,
    said_people,
    with_details,
)
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.bulk import Verdict, exceptions_decide_all
from bookings.audit.services.risk import weight_add
from tests.factories.cast import NOW, reserve
from tests.factories.money import charge_of, store

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
OF = {"rule": "overrides", "organisation": "ustc"}


@pytest.fixture
def found(cast, monkeypatch):
    """Three bookings of Wang, for which rules were overridden: for the third four of them."""
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    for day, rules in ((16, ["notice"]), (17, ["notice"]), (18, ["notice", "quota", "horizon", "slot"])):
        made = reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 11:00")
        models.Reservation.objects.filter(pk=made.pk).update(overrides=rules)
    exceptions_find(By(PLATFORM, NOW))
    return cast


def auditor(cast):
    return By(cast.actor("auditor"), LATER)


def browser(cast, who="auditor"):
    client = Client()
    client.force_login(cast.people[who])
    return client


def test_people_amounts_and_risk_stand_on_list_page_and_file(found):
    rows = with_details(list(exceptions_for(found.actor("auditor")).filter(rule="overrides")))
    assert [row.risk for row in rows] == sorted((row.risk for row in rows), reverse=True)
    quoted = models.Quote.objects.get(reservation=rows[0].evidence[0]["id"])
    first = rows[0]
    assert (first.weight, first.share, first.risk) == (40, 100, 40)
    assert (first.amount, first.currency) == (quoted.total, quoted.currency)
    wang = found.people["wang"].name
    assert said_people(first, auditor(found)) == f"booked for {wang}"
    client = browser(found)
    page = client.get(reverse("bookings:exceptions")).content.decode()
    assert wang in page and "40 × 100 %" in page
    one = client.get(reverse("bookings:exception", args=[first.pk])).content.decode()
    assert wang in one and "weight 40 of the rule × severity 100 %" in one
    file = client.get(reverse("bookings:exceptions"), {"format": "csv"})
    lines = b"".join(file.streaming_content).decode("utf-8-sig")
    assert f"booked for {wang}" in lines and "risk,weight,severity_percent" in lines
    body = client.get(reverse("api-audit-exceptions")).json()["results"]
    assert body[0]["risk"] == 40 and body[0]["amount"]["currency"] == quoted.currency
    assert {"part": "booked for", "name": wang} in body[0]["people"]


def test_a_weight_ranks_what_is_found_from_its_day_on(found):
    admin = By(found.actor("admin"), LATER)
    row = weight_add(admin, rule="overrides", weight=90, valid_from=NOW.date(), reason="Many of them")
    assert TrailEntry.objects.get(action="riskweight.add", object_id=row.pk).after["weight"] == 90
    assert set(exceptions_for(found.actor("auditor")).values_list("weight", flat=True)) == {40}
    made = reserve(found, "2026-03-19 10:00", "2026-03-19 11:00")
    models.Reservation.objects.filter(pk=made.pk).update(overrides=["notice"])
    exceptions_find(By(PLATFORM, LATER), full=True)
    newest = models.AuditException.objects.get(key=str(made.pk), rule="overrides")
    assert (newest.weight, newest.share, newest.risk) == (90, 25, 23)
    with pytest.raises(Invalid):
        weight_add(admin, rule="overrides", weight=80, valid_from=NOW.date(), reason="Again")
    with pytest.raises(Invalid):
        weight_add(admin, rule="overrides", weight=80, valid_from=NOW.date() + timedelta(9), reason=" ")
    with pytest.raises(NotPermitted):
        weight_add(auditor(found), rule="overrides", weight=1, valid_from=LATER.date(), reason="Mine")
    assert models.RiskWeight.objects.count() == 1


def test_what_was_found_before_there_were_weights_is_rated_by_the_next_run(found):
    models.AuditException.objects.update(share=None, weight=None, risk=0, amount=None, currency="")
    exceptions_find(By(PLATFORM, LATER))
    rows = models.AuditException.objects.filter(rule="overrides")
    assert {row.weight for row in rows} == {FIRST["overrides"]} and all(
        row.risk and row.amount for row in rows
    )


def test_all_of_a_rule_and_organisation_are_explained_at_once(found):
    result = exceptions_decide_all(
        auditor(found), of=OF, count=3, verdict=Verdict("explained", "Agreed with the host")
    )
    assert (result.decided, result.own, result.finding) == (3, 0, None)
    rows = models.AuditException.objects.filter(rule="overrides")
    assert {(row.state, row.reason, row.version) for row in rows} == {
        ("explained", "Agreed with the host", 2)
    }
    assert TrailEntry.objects.filter(action="exception.explained").count() == 3


def test_one_finding_is_raised_for_all(found):
    verdict = Verdict("confirmed", title="Rules overridden", text="Three times", severity="high")
    result = exceptions_decide_all(auditor(found), of=OF, count=3, verdict=verdict)
    rows = models.AuditException.objects.filter(rule="overrides")
    assert (result.decided, {row.state for row in rows}) == (3, {"confirmed"})
    assert models.AuditFinding.objects.get() == result.finding
    assert result.finding.others.count() == 2
    behind = {item["id"] for item in finding_records(found.actor("auditor"), result.finding)}
    assert behind == {item["id"] for row in rows for item in row.evidence}
    client = browser(found)
    for row in rows:
        page = client.get(reverse("bookings:exception", args=[row.pk])).content.decode()
        assert reverse("bookings:finding", args=[result.finding.pk]) in page


def test_a_finding_of_many_is_seen_in_the_regions_of_all(found):
    rows = list(models.AuditException.objects.filter(rule="overrides").order_by("pk"))
    others = [uuid4(), uuid4()]
    for row, region in zip(rows[1:], others, strict=True):
        row.region_ids = [*row.region_ids, region]
        row.save()
    verdict = Verdict("confirmed", title="T", text="T")
    finding = exceptions_decide_all(auditor(found), of=OF, count=3, verdict=verdict).finding
    assert set(finding.region_ids) == {*rows[0].region_ids, *others}
    assert len(finding.region_ids) == len(set(finding.region_ids))


def test_own_cases_stay_and_are_counted(found):
    booked = models.Reservation.objects.filter(overrides=["notice"]).first()
    models.Reservation.objects.filter(pk=booked.pk).update(made_by=found.people["auditor"])
    page = browser(found).get(reverse("bookings:exceptions-all"), OF)
    assert (page.context["count"], page.context["own"]) == (2, 1)
    result = exceptions_decide_all(auditor(found), of=OF, count=2, verdict=Verdict("explained", "Fine"))
    assert (result.decided, result.own) == (2, 1)
    left = models.AuditException.objects.get(rule="overrides", key=str(booked.pk))
    assert left.state == "open"
    verdict = Verdict("confirmed", title="T", text="T")
    with pytest.raises(WrongState):
        exceptions_decide_all(auditor(found), of=OF, count=1, verdict=verdict)


def test_a_finding_of_many_is_the_own_case_of_whoever_has_a_part_in_one(found):
    verdict = Verdict("confirmed", title="T", text="T")
    finding = exceptions_decide_all(auditor(found), of=OF, count=3, verdict=verdict).finding
    last = finding.others.first()
    models.Reservation.objects.filter(pk=last.evidence[0]["id"]).update(made_by=found.people["auditor"])
    assert own_findings(found.actor("auditor"), [finding]) == {finding.pk}


@pytest.mark.parametrize(
    ("of", "count", "verdict", "error", "code"),
    [
        (OF, 2, Verdict("explained", "Fine"), WrongState, "exceptions-changed"),
        (OF, 3, Verdict("explained", " "), Invalid, "invalid"),
        (OF, 3, Verdict("open", "Fine"), Invalid, "invalid"),
        (OF, 3, Verdict("confirmed", title="", text="x"), Invalid, "invalid"),
        ({"rule": "overrides"}, 3, Verdict("explained", "Fine"), Invalid, "invalid"),
        ({"organisation": "ustc"}, 3, Verdict("explained", "Fine"), Invalid, "invalid"),
        (OF | {"organisation": "fudan"}, 3, Verdict("explained", "x"), WrongState, "too-many-exceptions"),
    ],
)
def test_refusals_change_nothing(found, of, count, verdict, error, code):
    before = list(models.AuditException.objects.order_by("pk").values())
    with pytest.raises(error) as refused:
        exceptions_decide_all(auditor(found), of=of, count=count, verdict=verdict)
    assert refused.value.code == code
    assert list(models.AuditException.objects.order_by("pk").values()) == before
    assert not models.AuditFinding.objects.exists()


def test_more_than_the_most_are_refused(found, monkeypatch):
    monkeypatch.setattr("bookings.audit.services.bulk.MOST", 2)
    with pytest.raises(WrongState) as refused:
        exceptions_decide_all(auditor(found), of=OF, count=3, verdict=Verdict("explained", "Fine"))
    assert (refused.value.code, refused.value.numbers) == ("too-many-exceptions", {"most": 2})


def test_others_may_not(found):
    for who in ("gao", "coordinator", "admin", "wang"):
        with pytest.raises(NotPermitted):
            by = By(found.actor(who), LATER)
            exceptions_decide_all(by, of=OF, count=3, verdict=Verdict("explained", "Fine"))


def test_the_page_shows_the_count_before_and_asks_for_rule_and_organisation(found):
    client = browser(found)
    listed = client.get(reverse("bookings:exceptions"), OF).content.decode()
    assert reverse("bookings:exceptions-all") in listed
    address = reverse("bookings:exceptions-all", query=OF)
    page = client.get(address).content.decode()
    assert "3 exceptions at" in page and 'name="count" value="3"' in page
    assert client.get(reverse("bookings:exceptions-all")).status_code == 302
    wrong = client.post(address, {"count": "3", "state": "explained"})
    assert wrong.status_code == 400 and models.AuditException.objects.filter(state="open").count() == 3
    gone = client.post(address, {"count": "2", "state": "explained", "reason": "Fine"})
    assert gone.status_code == 409 and "3" in gone.content.decode()
    done = client.post(address, {"count": "3", "state": "explained", "reason": "Fine"})
    assert done.status_code == 302
    assert EXCEPTIONS.name == "exceptions" and not models.AuditException.objects.filter(state="open").exists()


def test_a_finding_for_several_says_how_many_and_what_is_at_stake_to_both_sides(found):
    verdict = Verdict("confirmed", title="Rules overridden", text="Three times", severity="high")
    finding = exceptions_decide_all(auditor(found), of=OF, count=3, verdict=verdict).finding
    rows = models.AuditException.objects.filter(rule="overrides")
    address = reverse("bookings:finding", args=[finding.pk])
    listed = reverse("bookings:exceptions", query={"finding": finding.pk})
    for who in ("auditor", "gao"):
        page = browser(found, who).get(address)
        ((_currency, amount),) = page.context["at_stake"]
        assert amount == sum(row.amount for row in rows)
        assert {pk: value for pk, (value, _) in page.context["amounts"].items()} == {
            row.evidence[0]["id"]: row.amount for row in rows
        }
        html = page.content.decode()
        assert "3 exceptions" in html and f"{amount:,.2f}" in html
        assert all(f"{row.amount:,.2f}" in html for row in rows)
        assert (listed in html) == (who == "auditor")
    page = browser(found).get(listed)
    assert {row.pk for row in page.context["page"].object_list} == {row.pk for row in rows}


def test_what_is_not_shown_of_those_to_decide_is_said(found, monkeypatch):
    monkeypatch.setattr("bookings.audit.views.bulk.SHOWN", 2)
    page = browser(found).get(reverse("bookings:exceptions-all", query=OF)).content.decode()
    assert "2 of 3 shown" in page and reverse("bookings:exceptions", query=OF).replace("&", "&amp;") in page
    (lines,) = re.findall(r"<ul class=.mb-0.>(.*?)</ul>", page, re.DOTALL)
    assert lines.count(found.microscope.name) == 2 and "Mar 2026" in lines
    monkeypatch.setattr("bookings.audit.views.bulk.SHOWN", 3)
    assert (
        "of 3 shown" not in browser(found).get(reverse("bookings:exceptions-all", query=OF)).content.decode()
    )


def test_from_an_exception_to_its_charge_and_its_booking(found):
    row = models.AuditException.objects.filter(rule="overrides").first()
    (charge,) = store([charge_of(found)])
    booking = str(charge.reservation_id)
    address = reverse("bookings:exception", args=[row.pk])
    session = models.UsageSession.objects.create(
        reservation_id=booking, instrument=found.microscope, checked_in_at=NOW, service_mode="self"
    )
    row.evidence = [{"type": "reservation", "id": booking}, {"type": "session", "id": str(session.pk)}]
    row.save()
    page = browser(found).get(address).content.decode()
    assert reverse("bookings:money-charges-one", args=[charge.pk]) in page
    assert page.count(f'href="{reverse("bookings:reservation", args=[booking])}"') == 2
