"""Recurring bookings over the API."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.models import Reservation, Series
from bookings.series.services.series import series_cancel
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_set
from tests.factories.cast import NOW, at, reserve

DATES = [f"2026-03-{day}T02:00:00Z" for day in ("09", "16", "23", "30")]


@pytest.fixture
def wang(program):
    return program("wang")


def body(cast, **changes):
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-09T10:00:00+08:00",
        "end": "2026-03-09T12:00:00+08:00",
        "organisation": "fudan",
        "service_mode": "self",
        "purpose": {"code": "research", "text": "Perovskites"},
        "samples": {"text": "wafers"},
        "options": {"operator": "1"},
        "rule": "FREQ=WEEKLY;COUNT=4",
    } | changes


class TestCreate:
    def test_a_dry_run_says_what_it_would_come_to(self, cast, wang):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        answer = wang.post("series/", body(cast, dry_run=True))
        assert answer.status == 200
        shown = answer.body
        assert [o["start"] for o in shown["occurrences"]] == DATES
        assert [[r["code"] for r in o["refusals"]] for o in shown["occurrences"]] == [
            [], ["slot-taken"], [], [],
        ]  # fmt: skip
        assert shown["occurrences"][1]["refusals"][0]["nearest"] == {
            "start": "2026-03-16T01:00:00Z",
            "end": "2026-03-16T03:00:00Z",
        }
        # 2 h x 260 + 100 set-up + 1 h x 150 = 770, 6 % tax
        assert shown["occurrences"][0]["total"] == {"amount": "816.20", "currency": "CNY"}
        assert shown["total"] == {"amount": "2448.60", "currency": "CNY"}
        assert (shown["bookable"], shown["time_zone"]) == (3, "Asia/Shanghai")
        assert not Series.objects.exists()

    def test_a_dry_run_refuses_for_house_rules_what_booking_refuses(self, cast, wang):
        of = {"instrument_id": cast.microscope.pk, "text": "Gloves.", "text_zh": ""}
        house_rules_set(By(cast.actor("zhao"), NOW), **of)
        code = "house-rules-not-accepted"
        told = wang.post("series/", body(cast, dry_run=True)).body
        assert [[r["code"] for r in o["refusals"]] for o in told["occurrences"]] == [[code]] * 4
        assert wang.post("series/", body(cast)).body["refusals"][0]["code"] == code
        told = wang.post("series/", body(cast, dry_run=True, house_rules=1)).body
        assert told["bookable"] == 4 and not HouseRulesAcceptance.objects.exists()
        assert wang.post("series/", body(cast, house_rules=1)).status == 201

    def test_all_or_none(self, cast, wang):
        other = reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        answer = wang.post("series/", body(cast))
        assert (answer.status, answer.code) == (409, "slot-taken")
        assert [(r["booking"], r["code"]) for r in answer.body["refusals"]] == [(1, "slot-taken")]
        assert list(Reservation.objects.all()) == [other]

    def test_with_several_refusals_it_is_422(self, cast, wang):
        answer = wang.post("series/", body(cast, rule="FREQ=DAILY;COUNT=7"))
        assert answer.status == 422
        assert [r["booking"] for r in answer.body["refusals"]] == [5, 6]

    def test_made(self, cast, wang):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        answer = wang.post("series/", body(cast, on_conflict="skip"))
        assert answer.status == 201
        made = answer.body
        assert answer.headers["ETag"] == '"1"'
        assert answer.headers["Location"] == f"/api/v1/series/{made['id']}/"
        assert (made["rule"], made["minutes"]) == ("FREQ=WEEKLY;COUNT=4", 120)
        assert [r["start"] for r in made["reservations"]] == [DATES[0], DATES[2], DATES[3]]
        assert {r["series"] for r in made["reservations"]} == {made["id"]}
        assert {r["purpose"]["text"] for r in made["reservations"]} == {"Perovskites"}
        assert [(s["start"], s["refusals"][0]["code"]) for s in made["skipped"]] == [(DATES[1], "slot-taken")]
        again = wang.get(f"series/{made['id']}/")
        assert again.body == {k: v for k, v in made.items() if k != "skipped"}

    def test_sent_twice_it_is_made_once(self, cast, wang):
        first = wang.post("series/", body(cast), Idempotency_Key="k1")
        again = wang.post("series/", body(cast), Idempotency_Key="k1")
        assert (first.status, again.body) == (201, first.body)
        assert Series.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "problems"),
        [
            ({"rule": "weekly"}, [("rule", "rule-malformed")]),
            ({"rule": "FREQ=DAILY"}, [("rule", "rule-without-end")]),
            ({"rule": "x" * 301}, [("rule", "too-long")]),
            ({"rule": "FREQ=DAILY;COUNT=9999"}, [("rule", "too-many")]),
            ({"on_conflict": "ignore"}, [("on_conflict", "unknown-value")]),
            ({"dry_run": "yes"}, [("dry_run", "not-a-boolean")]),
            ({"hold": None}, [("hold", "unknown-field")]),
            ({"end": "2026-03-09T10:00:00+08:00"}, [("end", "not-after-start")]),
            ({"start": "2026-03-09T10:00:00"}, [("start", "naive-time")]),
        ],
    )
    def test_shape(self, cast, wang, changes, problems):
        answer = wang.post("series/", body(cast) | changes)
        assert (answer.status, answer.problems) == (400, problems)

    def test_nobody(self, cast, program):
        assert program().post("series/", body(cast)).status == 401
        assert program("wang", scopes=["read"]).post("series/", body(cast)).status == 403


@pytest.fixture
def made(cast, wang):
    return wang.post("series/", body(cast)).body


class TestCancel:
    def test_what_it_would_cost(self, wang, made, clock):
        clock.now = at("2026-03-15 10:00")
        address = f"series/{made['id']}/cancel/"
        answer = wang.get(f"{address}?scope=all")
        # A day before the second: half of 620, the operator left out.
        assert answer.body["fee"] == {"amount": "310.00", "currency": "CNY"}
        assert answer.body["tax"] == {"amount": "18.60", "currency": "CNY"}
        assert answer.body["reservations"] == [r["id"] for r in made["reservations"][1:]]
        third = made["reservations"][2]["id"]
        answer = wang.get(f"{address}?scope=following&reservation={third}")
        assert (len(answer.body["reservations"]), answer.body["fee"]["amount"]) == (2, "0.00")
        clock.now = at("2026-03-31 10:00")
        assert wang.get(f"{address}?scope=all").code == "series-over"

    def test_following(self, wang, made):
        sent = {"scope": "following", "reservation": made["reservations"][2]["id"]}
        answer = wang.post(f"series/{made['id']}/cancel/", sent, If_Match='"1"')
        assert answer.status == 200
        states = [r["state"] for r in answer.body["reservations"]]
        assert states == ["confirmed", "confirmed", "cancelled", "cancelled"]
        assert answer.headers["ETag"] == '"2"'
        assert wang.post(f"series/{made['id']}/cancel/", sent, If_Match='"1"').status == 412
        assert wang.post(f"series/{made['id']}/cancel/", sent).status == 409

    def test_shape(self, wang, made):
        answer = wang.post(f"series/{made['id']}/cancel/", {"scope": "this"})
        assert answer.problems == [("reservation", "required")]
        answer = wang.post(f"series/{made['id']}/cancel/", {"scope": "this", "reservation": made["id"]})
        assert answer.problems == [("reservation", "not-of-the-series")]


class TestMove:
    def sent(self, made, **changes):
        return {
            "scope": "following",
            "reservation": made["reservations"][2]["id"],
            "start": "2026-03-24T09:00:00+08:00",
            "end": "2026-03-24T11:00:00+08:00",
        } | changes

    def test_those_that_follow(self, wang, made):
        query = "&".join(f"{k}={v}".replace("+", "%2B") for k, v in self.sent(made).items())
        shown = wang.get(f"series/{made['id']}/move/?{query}").body["moves"]
        assert [m["start"] for m in shown] == ["2026-03-24T01:00:00Z", "2026-03-31T01:00:00Z"]
        assert [m["refusals"] for m in shown] == [[], []]
        answer = wang.post(f"series/{made['id']}/move/", self.sent(made))
        assert answer.status == 200
        assert answer.body["split_from"] == made["id"]
        assert [r["start"] for r in answer.body["reservations"]] == [m["start"] for m in shown]
        old = wang.get(f"series/{made['id']}/").body
        assert (old["rule"], len(old["reservations"])) == ("FREQ=WEEKLY;COUNT=2", 2)

    def test_refused(self, cast, wang, made):
        reserve(cast, "2026-03-31 08:00", "2026-03-31 10:00", who="sun")
        answer = wang.post(f"series/{made['id']}/move/", self.sent(made))
        assert (answer.status, answer.body["refusals"][0]["booking"]) == (409, 1)

    def test_version(self, cast, wang, made):
        series_cancel(
            By(cast.actor("wang"), NOW + timedelta(minutes=1)),
            series_id=made["id"],
            scope="this",
            reservation_id=Reservation.objects.get(pk=made["reservations"][0]["id"]).pk,
            reason="",
        )
        stale = wang.post(f"series/{made['id']}/move/", self.sent(made), If_Match='"1"')
        assert stale.status == 412


def test_others_do_not_see_it(program, made):
    assert program("sun").get(f"series/{made['id']}/").status == 404
    assert program("zhao").get(f"series/{made['id']}/").status == 200
