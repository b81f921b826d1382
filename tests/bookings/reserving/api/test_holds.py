"""Keeping slots through the API, and completing them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from bookings.models import Occupancy, Reservation
from tests.factories import api as programs
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast, reserve

clock, program = programs.clock, programs.program  # fixtures
Programs = Callable[..., Program]


def slot(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "organisation": "fudan",
        "service_mode": "self",
    } | changes


def purpose(**changes: Any) -> dict[str, Any]:
    return {"purpose": {"code": "research", "text": ""}} | changes


def test_a_hold_keeps_the_slot_for_ten_minutes_and_becomes_the_booking(
    cast: Cast, program: Programs, clock: Clock
) -> None:
    wang = program("wang")
    held = wang.post("holds/", slot(cast))
    assert (held.status, held.body["expires_at"]) == (201, "2026-03-05T04:10:00Z")
    assert program("sun").post("holds/", slot(cast, organisation="ustc")).code == "slot-taken"
    assert [row["id"] for row in wang.get("holds/").body["results"]] == [held.body["id"]]

    clock += timedelta(minutes=9)
    made = wang.post("reservations/", slot(cast, hold=held.body["id"], **purpose()))
    assert (made.status, made.body["id"]) == (201, held.body["id"])
    assert made.body["state"] == "confirmed"
    assert made.body["quote"]["total"] == "657.20"
    assert made.body["version"] == 2
    assert Occupancy.objects.get().expires_at is None
    assert wang.get("holds/").body["results"] == []


def test_the_same_slot_asked_for_again_is_the_same_hold(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    first, again = wang.post("holds/", slot(cast)), wang.post("holds/", slot(cast))
    assert (again.status, again.body) == (201, first.body)
    assert Reservation.objects.count() == 1


def test_after_ten_minutes_it_is_anybodys(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    held = wang.post("holds/", slot(cast))
    clock += timedelta(minutes=10)
    assert wang.get("holds/").body["results"] == []
    late = wang.post("reservations/", slot(cast, hold=held.body["id"], **purpose()))
    assert (late.status, late.code) == (409, "hold-expired")
    taken = program("sun").post("reservations/", slot(cast, organisation="ustc", **purpose()))
    assert taken.status == 201
    assert Reservation.objects.get(pk=held.body["id"]).state == "expired"


def test_released_it_is_anybodys_at_once(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    held = wang.post("holds/", slot(cast))
    address = f"holds/{held.body['id']}/"
    assert program("sun").delete(address).status == 404
    assert wang.delete(address, If_Match='"7"').status == 412
    assert wang.delete(address, If_Match='"1"').status == 204
    assert wang.delete(address).code == "wrong-state"
    assert program("sun").post("holds/", slot(cast, organisation="ustc")).status == 201


def test_three_at_a_time(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    for hour in (8, 10, 12):
        held = wang.post(
            "holds/",
            slot(
                cast, start=f"2026-03-06T{hour:02}:00:00+08:00", end=f"2026-03-06T{hour + 1:02}:00:00+08:00"
            ),
        )
        assert held.status == 201
    fourth = slot(cast, start="2026-03-06T14:00:00+08:00", end="2026-03-06T15:00:00+08:00")
    answer = wang.post("holds/", fourth)
    assert (answer.status, answer.code, answer.body["most"]) == (409, "too-many-holds", 3)
    wang.delete(f"holds/{held.body['id']}/")
    assert wang.post("holds/", fourth).status == 201
    clock += timedelta(minutes=10)
    assert wang.post("holds/", slot(cast)).status == 201


def test_another_booking_cannot_complete_it(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    held = wang.post("holds/", slot(cast)).body["id"]
    other = slot(cast, end="2026-03-06T13:00:00+08:00", hold=held, **purpose())
    assert wang.post("reservations/", other).problems == [("hold", "another-booking")]
    theirs = slot(cast, organisation="ustc", hold=held, **purpose())
    assert program("sun").post("reservations/", theirs).status == 404
    unknown = slot(cast, hold=str(uuid4()), **purpose())
    assert wang.post("reservations/", unknown).status == 404
    assert Reservation.objects.get().state == "held"


def test_the_rules_refuse_a_hold_as_they_would_the_booking(cast: Cast, program: Programs) -> None:
    answer = program("wang").post("holds/", slot(cast, end="2026-03-06T10:15:00+08:00"))
    assert (answer.status, answer.refusals) == (422, ["off-grid", "too-short"])
    assert not Reservation.objects.exists()


def test_sent_twice_with_one_key_it_is_completed_once(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    body = slot(cast, hold=wang.post("holds/", slot(cast)).body["id"], **purpose())
    first = wang.post("reservations/", body, Idempotency_Key="k")
    again = wang.post("reservations/", body, Idempotency_Key="k")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert wang.post("reservations/", body).code == "wrong-state"


def test_whoever_keeps_the_slot_need_not_say_so(cast: Cast, program: Programs) -> None:
    """A form sent in the moment in which its slot is being kept."""
    wang = program("wang")
    held = wang.post("holds/", slot(cast))
    made = wang.post("reservations/", slot(cast, **purpose()))
    assert (made.status, made.body["id"]) == (201, held.body["id"])
    assert program("chen").post("reservations/", slot(cast, **purpose())).status == 403


def test_what_wants_the_owners_word_becomes_a_request(cast: Cast, program: Programs) -> None:
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    wang = program("wang")
    held = wang.post("holds/", slot(cast, instrument=str(asks.pk)))
    made = wang.post("reservations/", slot(cast, instrument=str(asks.pk), hold=held.body["id"], **purpose()))
    assert (made.body["state"], made.body["deadline"]) == ("requested", "2026-03-06T02:00:00Z")
    assert Occupancy.objects.get().expires_at == NOW + timedelta(hours=22)


def test_several_at_once_are_all_reserved_or_none(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Cryo-EM")
    wang = program("wang")
    both = [slot(cast, **purpose()), slot(cast, instrument=str(other.pk), **purpose())]
    made = wang.post("reservations/", {"bookings": both})
    assert made.status == 201
    rows = made.body["reservations"]
    assert [row["instrument"] for row in rows] == [str(cast.microscope.pk), str(other.pk)]

    third = slot(cast, start="2026-03-06T14:00:00+08:00", end="2026-03-06T15:00:00+08:00", **purpose())
    refused = wang.post("reservations/", {"bookings": [third, both[1]]})
    assert refused.status == 409
    assert [(r["code"], r["booking"]) for r in refused.body["refusals"]] == [("slot-taken", 1)]
    assert Reservation.objects.count() == 2


def test_two_of_one_request_do_not_take_each_others_time(cast: Cast, program: Programs) -> None:
    body = slot(cast, **purpose())
    refused = program("wang").post("reservations/", {"bookings": [body, body]})
    assert [(r["code"], r["booking"]) for r in refused.body["refusals"]] == [("slot-taken", 1)]
    assert not Reservation.objects.exists()
    for empty in ([], {}):
        assert program("wang").post("reservations/", {"bookings": empty}).status == 400


def test_a_taken_slot_names_equivalents_with_their_price(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Second microscope", card={"rates": {"external": "100.00"}})
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    (refusal,) = program("wang").post("reservations/", slot(cast, **purpose())).body["refusals"]
    (equivalent,) = refusal["equivalents"]
    assert equivalent["instrument"] == str(other.pk)
    assert (equivalent["start"], equivalent["host"]) == ("2026-03-06T02:00:00Z", "ustc")
    assert equivalent["payable"] == {"amount": "318.00", "currency": "CNY"}


def test_a_manager_books_for_another(cast: Cast, program: Programs) -> None:
    body = slot(cast, on_behalf_of="wang@fudan.example", **purpose())
    made = program("chen").post("reservations/", body)
    assert made.status == 201
    assert made.body["user"]["id"] == str(cast.wang.pk)
    # The host's manager neither for the payer's members at their cost...
    body = slot(cast, start="2026-03-06T14:00:00+08:00", end="2026-03-06T15:00:00+08:00")
    theirs = body | purpose(on_behalf_of=str(cast.wang.pk))
    assert program("zhao").post("reservations/", theirs).status == 403
    # ... but for anybody at the host's own.
    ours = body | purpose(on_behalf_of=str(cast.wang.pk), organisation="ustc")
    assert program("zhao").post("reservations/", ours).body["price_group"] == "internal"
    stranger = body | purpose(on_behalf_of="alice@nowhere.example")
    assert program("chen").post("reservations/", stranger).problems == [("on_behalf_of", "not-one-of-theirs")]
    assert program("wang").post("reservations/", theirs).status == 403


def test_a_manager_sets_rules_aside_by_name_with_a_reason(cast: Cast, program: Programs) -> None:
    sunday = slot(
        cast,
        start="2026-03-08T10:00:00+08:00",
        end="2026-03-08T10:15:00+08:00",
        organisation="ustc",
        on_behalf_of=str(cast.sun.pk),
        **purpose(),
    )
    zhao = program("zhao")
    refused = zhao.post("reservations/", sunday)
    assert refused.refusals == ["off-grid", "too-short", "outside-opening-hours"]
    part = zhao.post("reservations/", sunday | {"override": ["off-grid"], "reason": "Guests."})
    assert part.refusals == ["too-short", "outside-opening-hours"]
    codes = ["off-grid", "too-short", "outside-opening-hours", "too-far"]
    no_reason = zhao.post("reservations/", sunday | {"override": codes})
    assert no_reason.problems == [("reason", "required")]
    made = zhao.post("reservations/", sunday | {"override": codes, "reason": "Guests."})
    assert made.status == 201
    # Only what was needed is flagged.
    assert made.body["overrides"] == codes[:3]
    story = zhao.get(made.body["links"]["trail"]).body["results"]
    assert [(e["after"]["overrides"], e["reason"]) for e in story] == [(codes[:3], "Guests.")]


def test_nobody_sets_rules_aside_for_themselves(cast: Cast, program: Programs) -> None:
    body = slot(
        cast,
        organisation="ustc",
        on_behalf_of=str(cast.zhao.pk),
        override=["too-soon"],
        reason="x",
        **purpose(),
    )
    answer = program("zhao").post("reservations/", body)
    assert (answer.status, answer.code) == (403, "own-override")
    # The payer's manager is not the host's.
    body = slot(cast, on_behalf_of=str(cast.wang.pk), override=["too-soon"], reason="x")
    assert program("chen").post("reservations/", body | purpose()).status == 403
    assert not Reservation.objects.exists()


def test_an_overlap_is_never_set_aside(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    body = slot(cast, organisation="ustc", on_behalf_of=str(cast.sun.pk), reason="x", **purpose())
    zhao = program("zhao")
    assert zhao.post("reservations/", body | {"override": ["too-soon"]}).code == "slot-taken"
    assert zhao.post("reservations/", body | {"override": ["slot-taken"]}).status == 400
