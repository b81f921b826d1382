"""Defaults of people: who sets them, what they pay for, and what happens when they can pay no longer."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.funding.domain.funding import Share
from bookings.funding.services.defaults import default_choose, defaults_give
from bookings.funding.services.funding import source_change, source_suspend
from bookings.models import DefaultSource, Earmark
from tests.accounts.pages import page_of
from tests.factories.cast import NOW
from tests.factories.funding import paid_by, source

WANG = "wang@fudan.example"
BOOK = {"service_mode": "self", "purpose": {"code": "research"}, "organisation": "fudan"}


def by(cast, who):
    return By(cast.actor(who), NOW)


def rows():
    return [
        (row.user.name, row.source.code, row.percent, row.is_own)
        for row in DefaultSource.objects.order_by("user__name", "is_own", "set_at", "id")
    ]


def reserved(program, cast, day=6, **values):
    sent = BOOK | {"instrument": str(cast.microscope.pk), **values}
    sent |= {"start": f"2026-03-{day:02}T10:00:00+08:00", "end": f"2026-03-{day:02}T12:00:00+08:00"}
    answer = program("wang").post("/api/v1/reservations/", sent)
    assert answer.status == 201, answer.body
    found = Earmark.objects.filter(reservation_id=answer.body["id"])
    return [(row.source.code, row.percent) for row in found.order_by("id")]


def test_finance_and_the_owner_give_it_to_members_who_may_charge_it(cast):
    one, two = source(cast, "A", is_open=True), source(cast, "B", is_open=True)
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG, "lin@fudan.example"])
    assert rows() == [("Lin Na", "A", 100, False), ("Wang Li", "A", 100, False)]
    # Another in its place; who is taken off the list has none.
    defaults_give(by(cast, "wang"), source_id=two.pk, people=[WANG])
    assert rows() == [("Lin Na", "A", 100, False), ("Wang Li", "B", 100, False)]
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[])
    assert rows() == [("Wang Li", "B", 100, False)]
    assert TrailEntry.objects.filter(action="source.default").count() == 3
    # The same again changes nothing and is not recorded.
    defaults_give(by(cast, "lin"), source_id=two.pk, people=[WANG, WANG])
    assert TrailEntry.objects.filter(action="source.default").count() == 3


@pytest.mark.parametrize(
    ("who", "people", "refused"),
    [
        ("zhao", [WANG], NotFound),  # of another organisation
        ("hu", [WANG], NotFound),
        ("chen", [WANG], NotPermitted),  # a manager of the payer sees it, and is not finance
        ("lin", ["zhao@ustc.example"], Invalid),
        ("lin", ["nobody@nowhere.example"], Invalid),
        ("lin", ["\0"], Invalid),
        ("lin", ["lin@fudan.example"], Invalid),  # who may not charge it
        ("lin", [f"a{n}@b.example" for n in range(201)], Invalid),
    ],
)
def test_others_and_people_who_may_not_charge_it_are_refused(cast, who, people, refused):
    one = source(cast)
    with pytest.raises(refused):
        defaults_give(by(cast, who), source_id=one.pk, people=people)
    assert rows() == []


def test_an_ended_or_suspended_source_is_given_to_nobody_new_but_may_be_taken(cast):
    one = source(cast)
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
    source_suspend(by(cast, "lin"), source_id=one.pk, reason="test")
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])  # nobody new
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[])
    with pytest.raises(WrongState):
        defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
    assert rows() == []


def test_one_s_own_is_chosen_of_what_one_may_charge(cast):
    source(cast, "A"), source(cast, "B"), source(cast, "L", owner="lin")
    default_choose(by(cast, "wang"), organisation=cast.fudan, shares=paid_by("A", "B", percents=("60", "40")))
    assert [row[1:] for row in rows()] == [("A", 60, True), ("B", 40, True)]
    for shares in (paid_by("L"), paid_by("A", percents=("50",)), paid_by("X"), (Share("\0", Decimal(100)),)):
        with pytest.raises(Invalid):
            default_choose(by(cast, "wang"), organisation=cast.fudan, shares=shares)
    with pytest.raises(NotPermitted):
        default_choose(by(cast, "zhao"), organisation=cast.fudan, shares=())
    assert len(rows()) == 2
    default_choose(by(cast, "wang"), organisation=cast.fudan, shares=())
    assert rows() == []


def test_a_program_that_names_none_uses_it_and_one_s_own_wins(cast, program):
    one, two = source(cast, "A", users=("wang",)), source(cast, "B")
    assert reserved(program, cast, 6) == []
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
    assert reserved(program, cast, 9) == [("A", 100)]
    default_choose(by(cast, "wang"), organisation=cast.fudan, shares=paid_by("A", "B", percents=("60", "40")))
    assert reserved(program, cast, 10) == [("A", 60), ("B", 40)]
    # An empty list says that none pays, and a named source comes first.
    assert reserved(program, cast, 11, funding=[]) == []
    assert reserved(program, cast, 12, funding=[{"source": "B", "percent": "100"}]) == [("B", 100)]
    # What can pay no longer falls back to what was given, then to none.
    source_suspend(by(cast, "lin"), source_id=two.pk, reason="test")
    assert reserved(program, cast, 13) == [("A", 100)]
    source_change(by(cast, "lin"), source_id=one.pk, changes={"valid_until": date(2026, 3, 16)})
    assert reserved(program, cast, 16) == []


def test_quotes_and_previews_apply_it_and_the_answer_says_what_lapsed(cast, program):
    one = source(cast, "A", users=("wang",))
    defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
    asked = BOOK | {"instrument": str(cast.microscope.pk)}
    asked |= {"start": "2026-03-06T10:00:00+08:00", "end": "2026-03-06T12:00:00+08:00"}
    wanted = {name: asked[name] for name in ("instrument", "start", "end", "service_mode", "organisation")}
    quote = program("wang").post("/api/v1/quotes/", wanted)
    assert [part["source"] for part in quote.body["funding"]] == ["A"]
    quote = program("wang").post("/api/v1/quotes/", wanted | {"funding": []})
    assert quote.body["funding"] == []
    series = asked | {"rule": "FREQ=WEEKLY;COUNT=2", "dry_run": True}
    source_change(by(cast, "lin"), source_id=one.pk, changes={"budget": Decimal(1)})
    dry = program("wang").post("/api/v1/series/", series)
    assert dry.status == 200 and "funding-short" in str(dry.body)
    source_suspend(by(cast, "lin"), source_id=one.pk, reason="test")
    made = program("wang").post("/api/v1/reservations/", asked)
    assert (made.status, made.body["default_lapsed"], made.body["funding"]) == (201, ["A"], [])


def test_one_s_own_is_chosen_through_the_api(cast, program):
    source(cast, "A", is_open=True)
    body = {"organisation": "fudan", "funding": [{"source": "A", "percent": "100"}]}
    answer = program("wang").post("/api/v1/spending/default/", body)
    assert answer.status == 200, answer.body
    assert [(one["source"], one["own"]) for one in answer.body["results"]] == [("A", True)]
    assert program("wang").get("/api/v1/spending/default/").body == answer.body
    refused = program("wang").post("/api/v1/spending/default/", body | {"organisation": "ustc"})
    assert refused.status == 400
    assert program("wang").post("/api/v1/spending/default/", body | {"funding": []}).body == {"results": []}


class TestPages:
    @pytest.fixture
    def browser(self, cast, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: NOW)
        cache.clear()

        def of(name):
            client = Client()
            client.force_login(cast.people[name])
            return client

        return of

    def form(self, cast, client):
        address = reverse("bookings:book", args=[cast.microscope.pk])
        sent = {"start": "2026-03-06T02:00:00Z", "minutes": "120", "organisation": "fudan"}
        answer = client.get(address, sent)
        return answer.context["form"], page_of(answer)

    def test_the_booking_form_preselects_it_and_says_when_it_lapsed(self, cast, browser):
        one, two = source(cast, "A", users=("wang",)), source(cast, "B")
        defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
        form, html = self.form(cast, browser("wang"))
        assert form["funding"].value() == "A" and not form.is_split
        assert "Preselected by your organisation" in html
        default_choose(
            by(cast, "wang"), organisation=cast.fudan, shares=paid_by("A", "B", percents=("60", "40"))
        )
        form, html = self.form(cast, browser("wang"))
        assert form.is_split and form["funding"].value() == ""
        assert sorted(field.value() for field in form.splitting) == ["40", "60"]
        source_change(by(cast, "lin"), source_id=two.pk, changes={"budget": Decimal(0)})
        form, html = self.form(cast, browser("wang"))
        assert form["funding"].value() == "A"
        assert "Your default, B, cannot pay for this booking" in html

    def test_who_books_for_others_offers_the_default_of_that_person(self, cast, browser):
        one, _ = source(cast, "A", is_open=True), source(cast, "B", is_open=True)
        defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
        default_choose(by(cast, "chen"), organisation=cast.fudan, shares=paid_by("B"))
        chen = browser("chen")
        form, html = self.form(cast, chen)
        assert form["funding"].value() == "*" and "the default of the person it is for" in html
        sent = {"start": "2026-03-06T02:00:00Z", "minutes": "120", "organisation": "fudan", "funding": "*"}
        sent |= {"service_mode": "self", "purpose": "research", "on_behalf_of": WANG}
        answer = chen.post(reverse("bookings:book", args=[cast.microscope.pk]), sent)
        assert answer.status_code == 302, page_of(answer, 400)
        assert [row.source.code for row in Earmark.objects.all()] == ["A"]

    def test_the_source_says_whose_default_it_is_and_finance_changes_it(self, cast, browser):
        one = source(cast, is_open=True)
        address = f"/money/funding/{one.pk}/"
        lin = browser("lin")
        assert "Default of 0 people" in page_of(lin.get(address))
        answer = lin.post(address + "default/", {"people": [WANG, "lin@fudan.example"]})
        assert answer["Location"].startswith(address)
        html = page_of(lin.get(address))
        assert "Default of 2 people" in html and "Wang Li" in html
        html = page_of(lin.post(address + "default/", {"people": ["zhao@ustc.example"]}), 400)
        assert "has no active member of this name" in html
        assert len(rows()) == 2

    def test_people_choose_their_own(self, cast, browser):
        one = source(cast, "A", users=("wang",))
        source(cast, "B")
        defaults_give(by(cast, "lin"), source_id=one.pk, people=[WANG])
        wang = browser("wang")
        html = page_of(wang.get("/bookings/spending/default/"))
        assert "Lin Na" in html
        answer = wang.post("/bookings/spending/default/", {"organisation": "fudan", "funding": "B"})
        assert answer.status_code == 302
        assert [row[1:] for row in rows()] == [("A", 100, False), ("B", 100, True)]
        assert "/bookings/spending/default/" in page_of(wang.get("/bookings/spending/"))
