"""Chains over the API."""

import pytest

from bookings.models import Chain, Reservation
from tests.factories.cast import at, reserve

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}


@pytest.fixture
def wang(program):
    return program("wang")


@pytest.fixture
def body(cast):
    saw = cast.instrument(name="Wafer saw")
    return {
        "steps": [
            {"instrument": str(saw.pk), "minutes": 120, "service_mode": "self"},
            {
                "instrument": str(cast.microscope.pk),
                "minutes": 60,
                "service_mode": "assisted",
                "gap_min": 30,
                "gap_max": 1440,
                "options": {"operator": "1"},
                "samples": {"text": "wafers"},
            },
        ],
        "organisation": "fudan",
        "purpose": {"code": "research", "text": "Cracks"},
        "earliest": "2026-03-09T00:00:00+08:00",
        "latest": "2026-03-11T00:00:00+08:00",
    }


class TestCreate:
    def test_a_dry_run_finds_ways(self, wang, body):
        answer = wang.post("chains/", body | {"dry_run": True})
        assert answer.status == 200
        first = answer.body["proposals"][0]
        assert [(s["start"], s["end"]) for s in first["steps"]] == [
            ("2026-03-09T00:00:00Z", "2026-03-09T02:00:00Z"),
            ("2026-03-09T02:30:00Z", "2026-03-09T03:30:00Z"),
        ]
        # 620 and 360 + 150 for the operator, 6 % tax
        assert first["steps"][0]["total"] == {"amount": "657.20", "currency": "CNY"}
        assert first["totals"] == [{"amount": "1197.80", "currency": "CNY"}]
        assert len(answer.body["proposals"]) == 5
        assert all(answer.body["starts"])
        assert not Chain.objects.exists()

    def test_ways_are_distinct_in_usual_hours_or_those_named(self, cast, wang, body):
        """Both are open day and night."""
        saw, oven = (cast.instrument(name=name, hours=ALWAYS) for name in ("Saw", "Oven"))
        steps = [
            {"instrument": str(i.pk), "minutes": minutes, "service_mode": "self", "gap_min": 30}
            for i, minutes in ((saw, 120), (oven, 60))
        ]

        def starts(**more):
            answer = wang.post("chains/", body | {"steps": steps, "dry_run": True} | more)
            for way in answer.body["proposals"]:
                first, second = way["steps"]
                assert first["end"] < second["start"]
            return [way["steps"][0]["start"][8:16] for way in answer.body["proposals"]]

        assert starts() == ["09T00:00", "09T02:00", "09T04:00", "09T06:00", "09T08:00"]
        afternoon = {"hours_from": "13:00", "hours_until": "20:00"}
        assert starts(**afternoon) == ["09T05:00", "09T07:00", "09T09:00", "10T05:00", "10T07:00"]
        made = wang.post("chains/", body | {"steps": steps} | afternoon)
        assert made.body["reservations"][0]["start"] == "2026-03-09T05:00:00Z"
        short = body | {"steps": steps, "hours_from": "13:00", "hours_until": "14:30"}
        assert wang.post("chains/", short).problems == [("hours_until", "longer-than-window")]
        wrong = body | {"hours_from": "25:00"}
        assert wang.post("chains/", wrong).problems == [("hours_from", "not-a-time")]
        assert Chain.objects.count() == 1

    def test_the_earliest_way_is_booked(self, wang, body):
        answer = wang.post("chains/", body, Idempotency_Key="k")
        assert answer.status == 201
        made = answer.body
        assert answer.headers["Location"] == f"/api/v1/chains/{made['id']}/"
        assert [(r["step"], r["start"]) for r in made["reservations"]] == [
            (1, "2026-03-09T00:00:00Z"),
            (2, "2026-03-09T02:30:00Z"),
        ]
        assert {r["chain"] for r in made["reservations"]} == {made["id"]}
        assert made["reservations"][1]["samples"]["text"] == "wafers"
        assert made["gaps"] == [{"least": 30, "most": 1440}]
        assert wang.get(f"chains/{made['id']}/").body == made
        assert wang.post("chains/", body, Idempotency_Key="k").body == made
        assert Chain.objects.count() == 1

    def test_at_ones_own_starts(self, wang, body):
        starts = ["2026-03-09T10:00:00+08:00", "2026-03-09T15:00:00+08:00"]
        made = wang.post("chains/", body | {"starts": starts})
        assert [r["start"] for r in made.body["reservations"]] == [
            "2026-03-09T02:00:00Z",
            "2026-03-09T07:00:00Z",
        ]
        late = [starts[0], "2026-03-09T12:00:00+08:00"]
        answer = wang.post("chains/", body | {"starts": late})
        assert (answer.status, answer.code) == (422, "chain-order")
        assert answer.body["refusals"][0]["booking"] == 1

    def test_no_way(self, cast, wang, body):
        reserve(cast, "2026-03-09 14:00", "2026-03-09 20:00", who="sun")
        tight = body | {"earliest": "2026-03-09T12:00:00+08:00", "latest": "2026-03-09T20:00:00+08:00"}
        assert wang.post("chains/", tight).code == "no-chain"
        found = wang.post("chains/", tight | {"dry_run": True}).body
        assert found["proposals"] == [] and found["starts"][0] > 0
        assert not Chain.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "problems"),
        [
            ({"steps": []}, [("steps", "out-of-range")]),
            ({"latest": "2026-03-08T00:00:00+08:00"}, [("latest", "not-after-start")]),
            ({"latest": "2026-06-08T00:00:00+08:00"}, [("latest", "span-too-long")]),
            ({"latest": "2036-06-08T00:00:00+08:00"}, [("latest", "span-too-long")]),
            ({"starts": ["2026-03-09T10:00:00+08:00"]}, [("starts", "not-one-each")]),
            ({"starts": ["2026-03-09T10:00:00"]}, [("starts[0]", "naive-time")]),
        ],
    )
    def test_shape(self, wang, body, changes, problems):
        answer = wang.post("chains/", body | changes)
        assert (answer.status, answer.problems) == (400, problems)

    def test_gaps(self, wang, body):
        body["steps"][1]["gap_max"] = 10
        assert wang.post("chains/", body).problems == [("steps[1].gap_max", "gap-backwards")]
        body["steps"][1]["gap_max"] = -1
        assert wang.post("chains/", body).problems == [("steps[1].gap_max", "out-of-range")]


def test_cancel(wang, body, program, clock):
    made = wang.post("chains/", body).body
    address = f"chains/{made['id']}/cancel/"
    clock.now = at("2026-03-08 00:00")
    shown = wang.get(address).body
    # Half of 620 and of 360, the operator left out.
    assert shown["fees"] == [{"amount": "490.00", "currency": "CNY"}]
    assert shown["taxes"] == [{"amount": "29.40", "currency": "CNY"}]
    assert program("sun").get(f"chains/{made['id']}/").status == 404
    assert wang.post(address, {}, If_Match='"9"').status == 412
    answer = wang.post(address, {"reason": "no wafers"}, If_Match='"1"')
    assert {r["state"] for r in answer.body["reservations"]} == {"cancelled"}
    assert wang.post(address, {}).code == "chain-over"
    assert wang.get(address).status == 409
    assert set(Reservation.objects.values_list("reason", flat=True)) == {"no wafers"}
