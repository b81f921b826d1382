"""Flows, payers, bookings, unmet demand and norms through the API."""

import csv
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.hours.services.hours import hours_roll_up
from bookings.models import NormHours, UnmetDemand
from bookings.reserving.services.reservations import reservation_cancel
from bookings.statistics.services.exports import exports_work
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.factories.api import Program
from tests.factories.cast import Cast, at, reserve

type Programs = Callable[..., Program]

MARCH = "from=2026-03-01&until=2026-04-01"
FUDAN, HOST = 120, 60  # minutes each used


@pytest.fixture
def used(cast: Cast) -> None:
    """Friday 10 to 12 by Fudan of Shanghai, 13 to 14 by the host; a booking of Fudan's cancelled
    two hours before, another days before; one asked for in vain; all rolled up."""
    for who, start, end in (("wang", "10:00", "12:00"), ("sun", "13:00", "14:00")):
        made = reserve(cast, f"2026-03-06 {start}", f"2026-03-06 {end}", who=who)
        actor = cast.actor(who)
        reservation_check_in(By(actor, at(f"2026-03-06 {start}")), reservation_id=made.pk)
        reservation_check_out(By(actor, at(f"2026-03-06 {end}")), reservation_id=made.pk)
    for day, now in (("2026-03-09", "2026-03-09 08:00"), ("2026-03-10", "2026-03-06 15:00")):
        made = reserve(cast, f"{day} 10:00", f"{day} 11:00")
        reservation_cancel(By(cast.actor("wang"), at(now)), reservation_id=made.pk, reason="")
    hours_roll_up(since=None, until=None, now=at("2026-03-12 12:00"))


@pytest.mark.usefixtures("used")
def test_flows_are_hidden_but_from_those_whose_region_it_is(cast: Cast, program: Programs) -> None:
    seen = {
        (cell["payer_region"], cell["host_region"]): cell["value"]
        for cell in program("auditor").get(f"statistics/flows/?{MARCH}").body["matrix"]
    }
    assert seen == {("CN-AH", "CN-AH"): HOST, ("CN-SH", "CN-AH"): FUDAN}
    # Shanghai's coordinator reads what Shanghai used; Anhui's own use is nobody else's to read.
    answer = program("xu").get(f"statistics/flows/?{MARCH}").body
    assert [(c["value"], c["hidden"]) for c in answer["matrix"]] == [(None, True), (FUDAN, False)]
    assert answer["partial"] is True
    anhui, shanghai = answer["regions"]
    assert (anhui["hosted"], anhui["external_share"], anhui["used"]) == (None, None, None)
    assert (shanghai["used"], shanghai["openness"]) == (FUDAN, "1.0000")
    answer = program().get(f"statistics/flows/?{MARCH}").body
    assert {cell["value"] for cell in answer["matrix"]} == {None}
    anhui, shanghai = answer["regions"]
    names = ("used", "hosted", "openness", "external_share", "net")
    assert [anhui[name] for name in names] == [None] * 5
    assert shanghai["openness"] is None and shanghai["hosted"] == 0
    assert [(p["there"], p["reciprocity"]) for p in answer["pairs"]] == [(0, None)]
    days = "statistics/flows/?from=2026-03-02&until=2026-03-09"
    assert program().get(days).problems == [("from", "whole-months")]
    with override_settings(PUBLIC_LEAST_ORGANISATIONS=1):
        answer = program().get(f"statistics/flows/?{MARCH}").body
    anhui, shanghai = answer["regions"]
    assert (anhui["openness"], anhui["external_share"], anhui["net"]) == ("0.0000", "0.6667", FUDAN)
    assert (shanghai["openness"], shanghai["net"]) == ("1.0000", -FUDAN)


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(("measure", "total"), [("sessions", 2), ("users", 2)])
def test_other_measures(program: Programs, measure: str, total: int) -> None:
    cells = program("admin").get(f"statistics/flows/?{MARCH}&measure={measure}").body["matrix"]
    assert sum(cell["value"] for cell in cells) == total


@pytest.mark.usefixtures("used")
def test_who_pays_adds_up_to_the_productive_hours(program: Programs) -> None:
    for by in ("price_group", "region", "organisation", "region,price_group"):
        rows = program("auditor").get(f"statistics/payers/?{MARCH}&by={by}").body["rows"]
        assert sum(row["productive_minutes"] for row in rows) == FUDAN + HOST, by
    assert [row["region"] for row in rows] == ["CN-SH", "CN-AH"]
    refused = program("auditor").get(f"statistics/payers/?{MARCH}&by=colour")
    assert refused.problems == [("by", "unknown-choice")]


@pytest.mark.usefixtures("used")
def test_bookings_cancelled_late_and_booked_ahead(program: Programs) -> None:
    found = program("zhao").get(f"statistics/bookings/?{MARCH}").body
    assert (found["booked"], found["cancelled"], found["cancelled_late"]) == (4, 2, 1)
    assert (found["cancelled_late_minutes"], found["not_used"]) == (60, 0)
    assert float(found["lead_hours"]) > 0


@pytest.mark.usefixtures("used")
def test_what_was_refused_for_lack_of_time_is_unmet_demand(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    body = {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-11T10:00:00+08:00",
        "end": "2026-03-11T11:00:00+08:00",
        "organisation": "ustc",
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
    }
    for _ in range(2):  # the second try of the same day counts no more
        assert program("sun").post("reservations/", body).status in (409, 422)
    refused = UnmetDemand.objects.get()
    day = f"from={refused.on_date}&until={refused.on_date.replace(year=refused.on_date.year + 1)}"
    (row,) = program("auditor").get(f"statistics/demand/?{day}").body["rows"]
    assert (row["technique"], row["region"]) == ("PaNET01198", "CN-AH")
    assert (row["refused"], row["refused_minutes"], row["minutes"]) == (1, 60, 60)
    assert program("xu").get(f"statistics/demand/?{day}").body["rows"] == []


def test_norms_are_entered_by_administrators(cast: Cast, program: Programs) -> None:
    body = {"scheme": "nrii", "kind": "general", "hours": 1500, "valid_from": "2100-01-01"}
    for who in ("auditor", "coordinator", "zhao"):
        assert program(who).post("statistics/norms/", body).code == "not-permitted"
    assert not NormHours.objects.exists()
    assert program("admin").post("statistics/norms/", body).status == 201
    assert TrailEntry.objects.filter(action="norm.add").exists()
    again = program("admin").post("statistics/norms/", body)
    assert again.problems == [("valid_from", "norm-entered-already")]
    past = program("admin").post("statistics/norms/", body | {"valid_from": "2020-01-01"})
    assert past.problems == [("valid_from", "norm-of-a-past-year")]
    call_command("add_norm_hours", "survey", "general", "1700", "--from", "2101-01-01")
    norms = program().get("statistics/norms/").body["norms"]
    assert [(n["scheme"], n["hours"]) for n in norms[:2]] == [("survey", 1700), ("nrii", 1500)]
    assert len(norms) == 6


@pytest.mark.usefixtures("used", "either_storage")
def test_a_table_is_asked_for_watched_and_fetched(cast: Cast, program: Programs) -> None:
    body = {"table": "days", "from": "2026-03-01", "until": "2026-04-01", "state": "sessions"}
    zhao = program("zhao")
    asked = zhao.post("statistics/exports/", body)
    assert (asked.status, asked.body["state"], asked.body["ended_at"]) == (202, "waiting", None)
    one = f"statistics/exports/{asked.body['id']}/"
    assert zhao.get(f"{one}file/").status == 409
    assert exports_work(now=at("2026-03-12 12:00")) == 1
    done = zhao.get(one).body
    assert (done["state"], done["rows_done"], done["rows_total"]) == ("done", 1, 1)
    assert [row["id"] for row in zhao.get("statistics/exports/").body["results"]] == [done["id"]]
    bearer = {"Authorization": f"Bearer {zhao.token}"}
    answer = Client().get(f"/api/v1/{one}file/", headers=bearer)
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    (row,) = (row for row in rows if row["date"] == "2026-03-06")
    assert (row["counted"], row["productive_minutes"]) == ("2", str(FUDAN + HOST))
    # Nobody else's, and nobody's who does not read hours.
    assert program("gao").get(one).status == program("gao").get(f"{one}file/").status == 404
    assert program("alice").post("statistics/exports/", body).code == "not-permitted"
    again = zhao.post("statistics/exports/", body).body["id"]
    pages = [*zhao.pages("statistics/exports/?limit=1")]
    assert pages == [[again], [done["id"]], [again]]
    wrong = zhao.post("statistics/exports/", body | {"table": "payers", "by": "colour"})
    assert wrong.problems == [("by", "unknown-choice")]
    assert zhao.post("statistics/exports/", body | {"until": "2026-03-01"}).problems
