"""Board, closing from it, moving, and one's own calendar: the pages that need no script."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import By
from bookings.models import Closure
from bookings.usage.views import board
from instruments.managing.services.registry import facility_create
from instruments.register.models import Instrument
from tests.factories.cast import NOW, at, publish, reserve
from tests.flows.reader import Page

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")
DIALOG = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "dialog-body"}


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def browser(cast):
    def signed_in(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return signed_in


@pytest.fixture
def booked(cast):
    return reserve(cast, *FRIDAY, purpose_text="Grain boundaries")


def move_url(reservation):
    return reverse("bookings:move", args=[reservation.pk])


class TestBoard:
    def test_says_in_words_what_the_script_draws(self, cast, browser, booked):
        page = Page(browser("zhao").get("/board/"))
        assert "Mon 2 Mar – Sun 8 Mar 2026" in page.text
        assert "Fri 6 Mar 10:00 – 12:00 confirmed Wang Li Fudan University" in page.text
        assert move_url(booked) in page.html

    def test_a_day_and_days_to_move_through(self, browser, booked):
        page = Page(browser("zhao").get("/board/?view=day&date=2026-03-06"))
        assert "Wang Li" in page.text
        assert "date=2026-03-05" in page.html and "date=2026-03-07" in page.html
        assert "Wang Li" not in Page(browser("zhao").get("/board/?view=day")).text

    @pytest.mark.parametrize("query", ["date=x", "view=x", "facility=x", "technique=x", "zone=x"])
    def test_what_cannot_be_read_counts_as_not_asked_for(self, browser, booked, query):
        answer = browser("zhao").get(f"/board/?{query}")
        assert answer.status_code == 200
        assert "Wang Li" in Page(answer).text

    def test_by_facility_and_technique(self, cast, browser):
        annex = facility_create(
            By(cast.actor("zhao"), NOW), organisation=cast.ustc, name="Annex", time_zone="Asia/Shanghai"
        )
        cast.facility, centre = annex, cast.facility
        publish(cast, name="Furnace")
        cast.facility = centre
        page = Page(browser("zhao").get(f"/board/?facility={annex.pk}"))
        assert "1 instrument ·" in page.text and "Furnace" in page.text
        assert "2 instruments" in Page(browser("zhao").get("/board/?technique=PaNET01198")).text

    def test_rows_of_another_zone_are_drawn_in_the_one_of_the_board(self, cast, browser):
        berlin = facility_create(
            By(cast.actor("zhao"), NOW),
            organisation=cast.ustc,
            name="Berlin branch",
            time_zone="Europe/Berlin",
        )
        cast.facility = berlin
        there = publish(cast, name="Furnace")
        reserve(cast, "2026-03-06 16:00", "2026-03-06 18:00", instrument=there)
        query = "?start=2026-03-02&end=2026-03-09&zone="
        for zone, start in (
            ("Asia/Shanghai", "2026-03-06T16:00:00"),
            ("Europe/Berlin", "2026-03-06T09:00:00"),
        ):
            data = browser("zhao").get(f"/board/events/{query}{zone}").json()
            (event,) = [e for e in data["events"] if "id" in e]
            assert event["start"] == start
            assert event["extendedProps"]["from"] == "2026-03-06T08:00:00Z"

    def test_one_page_of_rows_brings_what_is_drawn_and_more_are_asked_for(
        self, cast, browser, booked, monkeypatch
    ):
        zhao = browser("zhao")

        def given(answer):
            held = re.search(r'<script id="board-drawn"[^>]*>(.*?)</script>', answer.text)
            return held and json.loads(held[1])

        answer = zhao.get("/board/?technique=PaNET01198&date=2026-03-05")
        asked = unescape(re.search(r'class="board"[^>]*data-events="([^"]*)"', answer.text)[1])
        assert given(answer) == zhao.get(asked).json()
        assert [e["id"] for e in given(answer)["events"]] == [str(booked.pk)]
        assert "async" not in re.search(r"<script[^>]*js/calendar[^>]*>", answer.text)[0]
        cast.instrument(name="Furnace")
        monkeypatch.setattr(board, "LISTED", 1)
        answer = zhao.get("/board/?page=2")
        assert given(answer) is None
        early = re.search(r'js/calendar[^>]* async data-events="([^"]*)"', answer.text)
        everything = zhao.get(unescape(early[1])).json()
        assert len(everything["resources"]) == 2

    def test_a_manager_without_instruments_is_told_where_to_begin(self, browser):
        page = Page(browser("chen").get("/board/"))
        assert "No instruments yet" in page.text

    def test_statements_do_not_grow_with_rows(self, cast, browser, booked, django_assert_max_num_queries):
        zhao = browser("zhao")
        zhao.get("/board/")
        with django_assert_max_num_queries(14) as one:
            zhao.get("/board/")
        for number in range(3):
            reserve(cast, *FRIDAY, instrument=cast.instrument(name=f"More {number}"))
        with django_assert_max_num_queries(len(one)):
            zhao.get("/board/")


class TestEvents:
    URL = "/board/events/?start=2026-03-02&end=2026-03-09"

    def test_rows_with_lanes_and_what_is_on_them(self, cast, browser, booked):
        pool = cast.instrument(name="Pool", policy={"units": 2, "setup_minutes": 30, "teardown_minutes": 15})
        request = reserve(cast, *FRIDAY, instrument=pool)
        data = browser("zhao").get(self.URL).json()
        lanes, alone = data["resources"]
        assert [lane["id"] for lane in lanes["children"]] == [f"{pool.pk}:1", f"{pool.pk}:2"]
        assert "children" not in alone and alone["id"] == str(cast.microscope.pk)
        by_id = {event["id"]: event for event in data["events"] if "id" in event}
        event = by_id[str(booked.pk)]
        assert (event["start"], event["end"]) == ("2026-03-06T10:00:00", "2026-03-06T12:00:00")
        assert event["classNames"] == ["is-confirmed"]
        assert event["startEditable"] and event["durationEditable"]
        props = event["extendedProps"]
        assert props["first"] == "Wang Li"
        assert props["second"] == "Fudan University · confirmed"
        assert props["purpose"] == "research: Grain boundaries"
        assert by_id[str(request.pk)]["resourceIds"] == [f"{pool.pk}:1"]
        assert by_id[str(request.pk)]["styles"] == ["--before:30", "--after:15"]
        assert "styles" not in event
        assert alone["extendedProps"]["opened"][0] == ["2026-03-02T08:00:00", "2026-03-02T20:00:00"]

    def test_a_closure_without_an_end_is_drawn_to_the_last_day(self, cast, browser):
        browser("zhao").post(
            reverse("bookings:board-close", args=[cast.microscope.pk]),
            {"kind": "breakdown", "start": "2026-03-06T10:00", "end": "", "reason": "Leak"},
        )
        data = browser("zhao").get(self.URL).json()
        (event,) = [e for e in data["events"] if "is-closure" in e["classNames"]]
        assert (event["start"], event["end"]) == ("2026-03-06T10:00:00", "2026-03-09T00:00:00")
        assert event["extendedProps"]["second"] == "Leak"
        assert event["editable"] is False

    @pytest.mark.parametrize(
        "query", ["", "?start=2026-03-02", "?start=2026-03-09&end=2026-03-02",
                  "?start=2026-01-01&end=2026-12-31", "?start=x&end=y"]
    )  # fmt: skip
    def test_a_span_that_makes_no_sense(self, browser, query):
        assert browser("zhao").get(f"/board/events/{query}").status_code == 400


class TestClose:
    def url(self, cast):
        return reverse("bookings:board-close", args=[cast.microscope.pk])

    BODY = {"kind": "maintenance", "start": "2026-03-06T09:00", "end": "2026-03-06T13:00"}

    def test_says_first_whose_bookings_lie_in_the_time(self, cast, browser, booked):
        page = Page(browser("zhao").get(f"{self.url(cast)}?start=2026-03-06T01:00:00Z&minutes=240"))
        assert "1 booking during this time" in page.text and "Wang Li" in page.text
        form = page.form(self.url(cast))
        assert (form["start"], form["end"]) == ("2026-03-06T09:00", "2026-03-06T13:00")
        assert "displace" not in form
        # Or somebody is to have it: the booking form opens for the same time.
        found = re.search(r'href="([^"]*/book/[^"]*)"', page.html)
        answer = browser("zhao").get(unescape(found.group(1)))
        assert answer.status_code == 200 and "For whom" in Page(answer).text

    def test_nobody_gives_way_without_the_word(self, cast, browser, booked):
        answer = browser("zhao").post(self.url(cast), self.BODY)
        assert answer.status_code == 409
        assert not Closure.objects.exists()
        answer = browser("zhao").post(self.url(cast), {**self.BODY, "displace": "1"})
        assert answer.status_code == 302
        booked.refresh_from_db()
        assert booked.state == "displaced"

    def test_in_the_dialog_the_board_is_loaded_again(self, cast, browser):
        answer = browser("zhao").post(self.url(cast), self.BODY, **DIALOG)
        assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
        assert Closure.objects.count() == 1

    def test_what_is_wrong_is_said_at_its_field(self, cast, browser):
        answer = browser("zhao").post(self.url(cast), {**self.BODY, "end": "2026-03-06T08:00"})
        assert answer.status_code == 400
        assert "This must be after the start." in Page(answer).text
        assert not Closure.objects.exists()


class TestMove:
    def test_the_form_says_where_it_is(self, cast, browser, booked):
        page = Page(browser("wang").get(move_url(booked)))
        form = page.form(move_url(booked))
        assert (form["start"], form["end"]) == ("2026-03-06T10:00", "2026-03-06T12:00")
        assert "Choose another start or end." in page.text
        # It is theirs: no reason is owed.
        assert "reason" not in form

    @pytest.mark.parametrize(
        "query", ["?start=2026-03-06T06:00:00Z&minutes=120", "?start=2026-03-06T14:00&end=2026-03-06T16:00"]
    )
    def test_what_would_happen_is_said_before(self, browser, booked, query):
        page = Page(browser("wang").get(move_url(booked) + query))
        assert "Fri 6 Mar 2026, 14:00 – 16:00 (2 h)" in page.text
        assert "The time is free and the rules allow it." in page.text
        assert "as before" in page.text

    def test_a_rule_that_refuses_names_the_nearest_time(self, cast, browser, booked):
        other = cast.instrument(name="Second microscope")
        reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", who="sun")
        query = "?start=2026-03-06T06:30:00Z&minutes=120"
        page = Page(browser("wang").get(move_url(booked) + query))
        assert "It cannot be moved there" in page.text and "This time is taken." in page.text
        assert "Nearest time that can be booked: Fri 6 Mar 2026, 16:00 – 18:00" in page.text
        assert "Second microscope · USTC, Anhui · Fri 6 Mar 2026, 14:30 – 16:30" in page.text
        assert f"/instruments/{other.pk}/book/" in page.html
        # A rule nobody sets aside has no box.
        assert 'name="override"' not in page.html

    def test_moving_without_script(self, browser, booked):
        wang = browser("wang")
        form = Page(wang.get(move_url(booked))).form(move_url(booked))
        form |= {"start": "2026-03-06T14:00", "end": "2026-03-06T15:30"}
        answer = wang.post(move_url(booked), form, follow=True)
        assert "Moved." in Page(answer).text
        booked.refresh_from_db()
        assert (booked.start_at, booked.end_at) == (at("2026-03-06 14:00"), at("2026-03-06 15:30"))

    def test_a_version_that_was_not_read_moves_nothing(self, browser, booked):
        body = {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00", "version": "99"}
        answer = browser("wang").post(move_url(booked), body)
        assert answer.status_code == 412
        assert "Somebody has changed this since you opened it." in Page(answer).text
        booked.refresh_from_db()
        assert booked.start_at == at(FRIDAY[0])

    def test_a_manager_owes_a_reason(self, browser, booked):
        body = {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00", "reason": ""}
        answer = browser("zhao").post(move_url(booked), body)
        assert answer.status_code == 400
        assert "This field is required." in Page(answer).text
        booked.refresh_from_db()
        assert booked.start_at == at(FRIDAY[0])

    def test_a_manager_sets_a_rule_aside_by_ticking_it(self, browser, booked):
        body = {"start": "2026-03-06T19:00", "end": "2026-03-06T21:00", "reason": "Agreed"}
        zhao = browser("zhao")
        answer = zhao.post(move_url(booked), body)
        assert answer.status_code == 422
        assert 'value="outside-opening-hours"' in answer.content.decode()
        answer = zhao.post(move_url(booked), {**body, "override": ["outside-opening-hours"]})
        assert answer.status_code == 302
        booked.refresh_from_db()
        assert booked.end_at == at("2026-03-06 21:00")
        assert booked.overrides == ["outside-opening-hours"]

    def test_the_dialog_is_the_form_alone_and_the_preview_less(self, browser, booked):
        query = "?start=2026-03-06T06:00:00Z&minutes=120"
        dialog = browser("wang").get(move_url(booked) + query, **DIALOG).content.decode()
        assert "<html" not in dialog and 'id="dialog-title"' in dialog
        headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "preview"}
        preview = browser("wang").get(move_url(booked) + query, **headers).content.decode()
        assert "<form" not in preview and "14:00 – 16:00" in " ".join(preview.split())

    def test_its_page_leads_there(self, browser, booked):
        html = browser("wang").get(reverse("bookings:reservation", args=[booked.pk])).content
        assert move_url(booked).encode() in html


class TestMine:
    def test_a_week_and_a_month_of_ones_own(self, cast, browser, booked):
        reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="sun")
        for query in ("", "?view=month", "?date=2026-03-06", "?date=x&view=x"):
            answer = browser("wang").get(f"/bookings/calendar/{query}")
            assert Page(answer).text.count("Transmission electron microscope") == 1, query
        assert "Nothing booked" in Page(browser("wang").get("/bookings/calendar/?date=2026-04-06")).text

    def test_in_the_readers_own_zone(self, cast, browser, booked):
        type(cast.wang).objects.filter(pk=cast.wang.pk).update(time_zone="America/Chicago")
        answer = browser("wang").get("/bookings/calendar/")
        (event,) = answer.context["setup"]["events"]
        assert (event["start"], event["end"]) == ("2026-03-05T20:00:00", "2026-03-05T22:00:00")
        assert event["extendedProps"]["zone"] == "Asia/Shanghai"

    def test_statements_do_not_grow(self, cast, browser, booked, django_assert_max_num_queries):
        wang = browser("wang")
        with django_assert_max_num_queries(10) as one:
            wang.get("/bookings/calendar/")
        for hour in (14, 16, 18):
            reserve(cast, f"2026-03-06 {hour}:00", f"2026-03-06 {hour + 1}:00")
        with django_assert_max_num_queries(len(one)):
            wang.get("/bookings/calendar/")


class TestWeek:
    def setup_of(self, answer):
        return answer.context["setup"]

    def test_free_taken_own_and_buffers(self, cast, browser):
        instrument = cast.instrument(name="Buffered", policy={"setup_minutes": 30})
        own = reserve(cast, *FRIDAY, instrument=instrument)
        reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", instrument=instrument, who="sun")
        answer = browser("wang").get(f"/instruments/{instrument.pk}/")
        events = self.setup_of(answer)["events"]
        kinds = {name for e in events for name in e["classNames"]}
        assert kinds == {"is-shut", "is-free", "is-busy", "is-confirmed", "is-own"}
        (mine,) = [e for e in events if "is-own" in e["classNames"]]
        assert mine["id"] == str(own.pk)
        assert mine["extendedProps"]["first"] == "Yours"
        (busy,) = [e for e in events if "is-busy" in e["classNames"]]
        assert busy["extendedProps"]["first"] == "Taken"
        assert busy["styles"] == ["--before:30", "--after:0"]
        assert "Sun Tao" not in answer.content.decode()
        text = Page(answer).text
        assert "yours 10:00–12:00" in text and "taken 13:30–15:00" in text

    def test_nobody_signed_in_sees_free_and_taken(self, cast, booked):
        answer = Client().get(f"/instruments/{cast.microscope.pk}/")
        classes = {name for e in self.setup_of(answer)["events"] for name in e["classNames"]}
        assert classes == {"is-shut", "is-free", "is-busy"}
        assert "Wang Li" not in answer.content.decode()

    def test_of_several_units_taken_is_where_none_is_left(self, cast, browser):
        pool = cast.instrument(name="Pool", policy={"units": 2})
        reserve(cast, *FRIDAY, instrument=pool, who="sun")
        url = f"/instruments/{pool.pk}/"
        events = self.setup_of(browser("wang").get(url))["events"]
        assert not [e for e in events if "is-busy" in e["classNames"]]
        reserve(cast, "2026-03-06 11:00", "2026-03-06 13:00", instrument=pool, who="hu")
        events = self.setup_of(browser("wang").get(url))["events"]
        (busy,) = [e for e in events if "is-busy" in e["classNames"]]
        assert (busy["start"], busy["end"]) == ("2026-03-06T11:00:00", "2026-03-06T12:00:00")

    def test_the_fragment_has_the_calendar_too(self, cast, browser, booked):
        answer = browser("wang").get(f"/instruments/{cast.microscope.pk}/week/?week=2026-03-09")
        assert self.setup_of(answer)["first"] == "2026-03-09"
        assert "week-setup" in answer.content.decode()

    def test_the_page_follows_the_language(self, cast, browser, booked):
        client = browser("wang")
        client.post(reverse("accounts:language"), {"language": "zh-hans", "next": "/"})
        answer = client.get(f"/instruments/{cast.microscope.pk}/")
        setup = self.setup_of(answer)
        assert setup["locale"] == "zh-CN"
        assert "您的预约" in {e["extendedProps"]["first"] for e in setup["events"] if "id" in e}

    def test_statements_do_not_grow_with_bookings(self, cast, browser, booked, django_assert_max_num_queries):
        url, wang = f"/instruments/{cast.microscope.pk}/week/", browser("wang")
        with django_assert_max_num_queries(12) as one:
            wang.get(url)
        for day in (9, 10, 11):
            reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 12:00")
        with django_assert_max_num_queries(len(one)):
            wang.get(url)


def test_a_retired_instrument_is_not_on_the_board(cast, browser):
    other = cast.instrument(name="Old one")
    Instrument.objects.filter(pk=other.pk).update(publication="retired")
    assert "Old one" not in Page(browser("zhao").get("/board/")).text


def test_a_booking_that_is_over_is_not_dragged(cast, browser):
    made = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    type(made).objects.filter(pk=made.pk).update(
        start_at=NOW - timedelta(hours=3), end_at=NOW - timedelta(hours=2)
    )
    made.occupancy.span = (NOW - timedelta(hours=3), NOW - timedelta(hours=2))
    made.occupancy.save()
    data = browser("zhao").get(TestEvents.URL).json()
    (event,) = [e for e in data["events"] if e.get("id") == str(made.pk)]
    assert not event["startEditable"] and not event["durationEditable"]
