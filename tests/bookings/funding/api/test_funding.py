"""Funding through the API: sources for finance, what pays for a booking, what it costs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.domain.roles import By
from bookings.charging.services.charges import charge_make
from bookings.models import Earmark, FundingSource, Reservation
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.api import Clock, Program
from tests.factories.cast import Cast, at, reserve
from tests.factories.funding import paid_by, source, sums

type Programs = Callable[..., Program]

BODY = {
    "organisation": "fudan",
    "code": "NSFC-17",
    "name": "Cathodes without cobalt",
    "owner": "wang@fudan.example",
    "users": ["Chen@Fudan.example"],
    "currency": "CNY",
    "budget": "80000.00",
    "valid_until": "2029-01-01",
}


def wish(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "organisation": "fudan",
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
        "funding": [{"source": "NSFC-17", "percent": "100"}],
    } | changes


# Sources


def test_the_main_line_of_finance(cast: Cast, program: Programs) -> None:
    lin, wang = program("lin"), program("wang")
    made = lin.post("funding-sources/", BODY)
    assert made.status == 201
    assert made.headers["ETag"] == '"1"'
    assert made.body["owner"] == {"id": str(cast.wang.pk), "name": "Wang Li"}
    assert [user["name"] for user in made.body["users"]] == ["Chen Jing"]
    assert made.body["valid_from"] == "2026-03-05"  # today
    assert made.body["left"] == {"amount": "80000.00", "currency": "CNY"}
    here = made.headers["Location"]

    booked = wang.post("reservations/", wish(cast))
    assert booked.status == 201
    seen = wang.get(here)
    assert seen.body["held"]["amount"] == "657.20"
    assert seen.body["left"]["amount"] == "79342.80"
    (entry,) = lin.get(f"{here}entries/").body["results"]
    assert entry["reservation"] == booked.body["id"]
    assert (entry["percent"], entry["held"]["amount"]) == ("100", "657.20")

    stale = lin.patch(here, {"budget": None}, If_Match='"7"')
    assert stale.status == 412
    changed = lin.patch(here, {"budget": None, "open": True, "users": []}, If_Match='"1"')
    assert (changed.status, changed.body["budget"], changed.body["left"]) == (200, None, None)
    assert changed.body["users"] == []

    stopped = lin.post(f"{here}suspend/", {"reason": "Review"}, If_Match='"2"')
    assert (stopped.status, stopped.body["state"]) == (200, "suspended")
    assert lin.post(f"{here}suspend/", {"reason": "Again"}).status == 409
    assert lin.get("funding-sources/?state=suspended").ids == [made.body["id"]]
    assert lin.get("funding-sources/?state=valid").ids == []
    again = lin.post(f"{here}resume/", {})
    assert (again.status, again.body["state"], again.body["version"]) == (200, "valid", 4)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"code": "NSFC 17"}, [("code", "not-a-code")]),
        ({"owner": "sun@ustc.example"}, [("owner", "not-one-of-theirs")]),
        ({"users": ["nobody"]}, [("users", "not-one-of-theirs")]),
        ({"organisation": "nowhere"}, [("organisation", "unknown-value")]),
        ({"currency": "XXX"}, [("currency", "unknown-currency")]),
        ({"budget": "-1"}, [("budget", "out-of-range")]),
        ({"budget": "much"}, [("budget", "not-a-decimal")]),
        ({"valid_until": "2026-03-05"}, [("valid_until", "not-after-valid-from")]),
        ({"left": "1"}, [("left", "unknown-field")]),
    ],
)
def test_what_is_wrong_is_named(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert program("lin").post("funding-sources/", BODY | changes).problems == problems
    assert not FundingSource.objects.exists()


def test_whose_sources_one_sees(cast: Cast, program: Programs) -> None:
    mine, theirs = source(cast, "MINE"), source(cast, "CHEN", owner="chen")
    everybody = source(cast, "OPEN", owner="chen", is_open=True)
    host = source(cast, "USTC", by="gao", organisation=cast.ustc, owner="sun")
    found = {
        who: program(who).get("funding-sources/").ids
        for who in ("wang", "chen", "lin", "gao", "sun", "hu", "auditor", "alice", "admin")
    }
    of_fudan = [str(row.pk) for row in (theirs, mine, everybody)]
    assert found["wang"] == [str(mine.pk), str(everybody.pk)]
    assert found["chen"] == found["lin"] == of_fudan
    assert found["gao"] == found["sun"] == found["auditor"] == [str(host.pk)]
    assert found["hu"] == found["alice"] == found["admin"] == []
    listed = program("lin").get("funding-sources/?organisation=ustc")
    assert listed.ids == []


def test_one_sees_ones_own_entries_and_finance_all(cast: Cast, program: Programs) -> None:
    row = source(cast, owner="chen", users=("wang",))
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    Reservation.objects.filter(pk=made.pk).update(user=cast.chen, made_by=cast.chen)
    path = f"funding-sources/{row.pk}/entries/"
    assert program("wang").get(path).body["results"] == []
    assert len(program("lin").get(path).body["results"]) == 1
    assert len(program("chen").get(path).body["results"]) == 1
    assert program("zhao").get(path).status == 404


# Quotes and bookings


def test_a_quote_says_what_each_source_would_pay(cast: Cast, program: Programs) -> None:
    source(cast, "A", budget="100")
    source(cast, "B", budget=None)
    shares = [{"source": "A", "percent": "25"}, {"source": "B", "percent": 75}]
    body = {name: wish(cast)[name] for name in ("instrument", "start", "end", "organisation")}
    answer = program("wang").post("quotes/", body | {"funding": shares})
    assert answer.status == 200
    assert answer.body["funding"] == [
        {
            "source": "A",
            "percent": "25",
            "amount": {"amount": "164.30", "currency": "CNY"},
            "reserved": {"amount": "164.30", "currency": "CNY"},
            "left": {"amount": "100.00", "currency": "CNY"},
        },
        {
            "source": "B",
            "percent": "75",
            "amount": {"amount": "492.90", "currency": "CNY"},
            "reserved": {"amount": "492.90", "currency": "CNY"},
            "left": None,
        },
    ]
    (refusal,) = answer.body["refusals"]
    assert (refusal["code"], refusal["source"], refusal["needed"]) == ("funding-short", "A", "164.30")
    assert not Earmark.objects.exists()


@pytest.mark.parametrize(
    ("funding", "problems"),
    [
        ([{"source": "NSFC-17", "percent": "50"}], [("funding", "not-a-whole")]),
        ([{"source": "?", "percent": "100"}], [("funding[0].source", "unknown-source")]),
        ([{"source": "NSFC-17"}], [("funding[0].percent", "required")]),
        ([{"source": "NSFC-17", "percent": "a"}], [("funding[0].percent", "not-a-decimal")]),
        ([{"source": "NSFC-17", "percent": "0"}], [("funding[0].percent", "out-of-range")]),
        ([{"source": 1, "percent": "100"}], [("funding[0].source", "not-a-text")]),
        ("NSFC-17", [("funding", "not-a-list")]),
    ],
)
def test_shares_of_the_wrong_shape(
    cast: Cast, program: Programs, funding: Any, problems: list[tuple[str, str]]
) -> None:
    source(cast)
    wang = program("wang")
    assert wang.post("reservations/", wish(cast, funding=funding)).problems == problems
    body = {name: wish(cast)[name] for name in ("instrument", "start", "end", "organisation")}
    assert wang.post("quotes/", body | {"funding": funding}).problems == problems
    assert not Reservation.objects.exists()


def test_nobody_in_particular_charges_nothing(cast: Cast, program: Programs) -> None:
    source(cast, is_open=True)
    body = {name: wish(cast)[name] for name in ("instrument", "start", "end", "funding")}
    answer = program().post("quotes/", body)
    assert answer.problems == [("funding[0].source", "unknown-source")]


def test_the_booking_names_its_sources_to_the_payers_people_only(
    cast: Cast, program: Programs, clock: Clock
) -> None:
    source(cast)
    source(cast, "B")
    shares = [{"source": "NSFC-17", "percent": "60"}, {"source": "B", "percent": "40"}]
    made = program("wang").post("reservations/", wish(cast, funding=shares))
    assert [(f["code"], f["percent"], f["held"]["amount"]) for f in made.body["funding"]] == [
        ("NSFC-17", "60", "394.32"),
        ("B", "40", "262.88"),
    ]
    path = made.headers["Location"]
    for who in ("wang", "chen", "lin"):
        assert len(program(who).get(path).body["funding"]) == 2
    for who in ("zhao", "gao", "auditor"):  # the host's, and its region's
        assert program(who).get(path).body["funding"] is None
    clock.now = at("2026-03-05 12:15")
    reservation_cancel(By(cast.actor("wang"), clock.now), reservation_id=made.body["id"], reason="")
    charge_make(reservation_id=made.body["id"], now=clock.now)
    spent = program("wang").get(path).body["funding"]
    assert [(f["held"]["amount"], f["spent"]["amount"]) for f in spent] == [
        ("0.00", "394.32"),
        ("0.00", "262.88"),
    ]


def test_short_and_suspended_are_rules(cast: Cast, program: Programs) -> None:
    row = source(cast, budget="1")
    wang, lin = program("wang"), program("lin")
    short = wang.post("reservations/", wish(cast))
    assert (short.status, short.refusals) == (422, ["funding-short"])
    lin.post(f"funding-sources/{row.pk}/suspend/", {"reason": "Review"})
    both = wang.post("reservations/", wish(cast))
    assert (both.status, both.refusals) == (422, ["source-suspended", "funding-short"])
    several = wang.post("reservations/", {"bookings": [wish(cast)]})
    assert several.refusals == ["source-suspended", "funding-short"]
    assert not Reservation.objects.exists()


def test_the_host_hears_only_that_it_is_blocked(cast: Cast, program: Programs) -> None:
    row = source(cast)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = program("wang").post("reservations/", wish(cast, instrument=str(asks.pk)))
    lin = program("lin")
    lin.post(f"funding-sources/{row.pk}/suspend/", {"reason": "Review"})
    answer = program("zhao").post(f"reservations/{made.body['id']}/approve/", {})
    assert (answer.status, answer.refusals) == (422, ["funding-blocked"])
    assert "NSFC" not in str(answer.body)
    lin.post(f"funding-sources/{row.pk}/resume/", {})
    assert program("zhao").post(f"reservations/{made.body['id']}/approve/", {}).status == 200


def test_a_series_and_a_chain_are_paid(cast: Cast, program: Programs) -> None:
    row = source(cast, budget="1500")
    wang = program("wang")
    body = wish(cast) | {
        "start": "2026-03-09T10:00:00+08:00",
        "end": "2026-03-09T12:00:00+08:00",
        "rule": "FREQ=DAILY;COUNT=3",
    }
    preview = wang.post("series/", body | {"dry_run": True})
    assert [[r["code"] for r in o["refusals"]] for o in preview.body["occurrences"]] == [
        [],
        [],
        ["funding-short"],
    ]
    made = wang.post("series/", body | {"on_conflict": "skip"})
    assert [len(each["funding"]) for each in made.body["reservations"]] == [1, 1]
    assert sums(row)[0] == 2 * Decimal("657.20")
    other = cast.instrument(name="Other")
    chain = {
        "steps": [
            {"instrument": str(cast.microscope.pk), "minutes": 60, "service_mode": "self"},
            {"instrument": str(other.pk), "minutes": 60, "service_mode": "self"},
        ],
        "purpose": {"code": "research", "text": ""},
        "earliest": "2026-03-12T00:00:00+08:00",
        "latest": "2026-03-13T00:00:00+08:00",
        "funding": [{"source": "NSFC-17", "percent": "100"}],
    }
    short = wang.post("chains/", chain)
    assert (short.status, short.body["refusals"][0]["booking"]) == (422, 0)
    row.budget = None
    row.save()
    booked = wang.post("chains/", chain)
    assert booked.status == 201
    assert [len(each["funding"]) for each in booked.body["reservations"]] == [1, 1]


# Spending


def test_what_my_bookings_cost(cast: Cast, program: Programs, clock: Clock) -> None:
    source(cast)
    source(cast, "B")
    reserve(
        cast, "2026-03-06 10:00", "2026-03-06 12:00",
        funding=paid_by("NSFC-17", "B", percents=("60", "40")),
    )  # fmt: skip
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    late = reserve(cast, "2026-04-01 10:00", "2026-04-01 12:00", funding=paid_by("NSFC-17"))
    gone = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    clock.now = at("2026-03-09 12:00")
    for made, now in ((gone, clock.now), (late, at("2026-04-01 09:00"))):
        reservation_cancel(By(cast.actor("wang"), now), reservation_id=made.pk, reason="")
        charge_make(reservation_id=made.pk, now=now)
    rows = program("wang").get("spending/").body["results"]
    assert [(r["month"], r["code"], r["will_cost"]["amount"], r["has_cost"]["amount"]) for r in rows] == [
        ("2026-04-01", "NSFC-17", "0.00", "657.20"),
        ("2026-03-01", "B", "262.88", "0.00"),
        ("2026-03-01", "NSFC-17", "394.32", "0.00"),
        ("2026-03-01", "", "657.20", "657.20"),
    ]
    assert program("sun").get("spending/").body["results"] == []
