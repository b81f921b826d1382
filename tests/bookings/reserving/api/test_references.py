"""References and metadata are for those who made a thing and their organisation. A host, another
organisation, an auditor and a reader of a need neither see them, nor find by them, nor set them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import TrailEntry
from bookings.charging.services.charges import charge_make
from bookings.models import Reservation
from bookings.privacy.selectors.persons import load_person
from tests.factories.api import Clock, Program
from tests.factories.cast import Cast, at, reserve
from tests.factories.samples import announce, join

type Programs = Callable[..., Program]

REFERENCE = "LIMS-2026-0417"
NOTED = {"reference": REFERENCE, "metadata": {"project": "P-17 secret"}}
NOTHING = {"reference": None, "metadata": None}
OURS, OTHERS = ("wang", "chen", "lin"), ("zhao", "gao", "auditor")


def shown(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in NOTHING}


def booking_of(cast: Cast, program: Programs) -> str:
    body = {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "service_mode": "self",
        "purpose": {"code": "research"},
    }
    made = program("wang").post("reservations/", body | NOTED)
    assert (made.status, shown(made.body)) == (201, NOTED)
    return str(made.headers["Location"])


def test_the_payers_side_alone_reads_them_of_a_booking(cast: Cast, program: Programs) -> None:
    here = booking_of(cast, program)
    listed = f"reservations/?reference={REFERENCE}"
    for who in OURS:
        assert shown(program(who).get(here).body) == NOTED
        assert [shown(row) for row in program(who).get(listed).body["results"]] == [NOTED]
        assert program(who).get("reservations/?reference=LIMS").body["results"] == []
    for who in OTHERS:
        assert shown(program(who).get(here).body) == NOTHING
        assert len(program(who).get("reservations/").body["results"]) == 1
        assert program(who).get(listed).body["results"] == []
    assert program("sun").get(here).status == 404
    told = str(list(TrailEntry.objects.values())) + str(program("auditor").get("trail/entries/").body)
    assert REFERENCE not in told
    assert "P-17" not in told


def test_files_have_the_reference_of_ones_own_side(cast: Cast, program: Programs) -> None:
    booking_of(cast, program)
    assert REFERENCE in program("lin").get("reservations/?format=csv").body.decode()
    assert REFERENCE not in program("zhao").get("reservations/?format=csv").body.decode()
    assert REFERENCE not in program("zhao").get("reservations/?format=csv&operated=1").body.decode()


def test_who_may_note(cast: Cast, program: Programs, clock: Clock) -> None:
    here = booking_of(cast, program)
    for who, status in (("zhao", 403), ("lin", 403), ("auditor", 403), ("sun", 404)):
        assert program(who).patch(here, {"reference": "mine"}).status == status
    assert shown(program("wang").get(here).body) == NOTED
    kept = program("wang").patch(here, {"metadata": {"project": "P-17 secret"}})
    assert (kept.status, kept.headers["ETag"]) == (200, '"1"')  # nothing has changed
    changed = program("chen").patch(here, {"reference": " L2 ", "metadata": {"project": "", "box": "4"}})
    assert shown(changed.body) == {"reference": "L2", "metadata": {"box": "4"}}
    assert changed.headers["ETag"] == '"2"'
    assert program("wang").patch(here, {"reference": "L3"}, If_Match='"1"').status == 412
    assert TrailEntry.objects.filter(action="reservation.note").count() == 1
    clock.now = at("2026-03-07 10:00")  # over: a client may still note what it has filed
    assert program("wang").patch(here, {"metadata": None}).body["metadata"] == {}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"reference": "x" * 65}, ("reference", "too-long")),
        ({"reference": 4}, ("reference", "not-a-text")),
        ({"reference": None}, ("reference", "required")),
        ({"metadata": "x"}, ("metadata", "not-an-object")),
        ({"metadata": {"a": {}}}, ("metadata.a", "not-a-text")),
        ({"metadata": {"a": "x" * 501}}, ("metadata.a", "too-long")),
        ({"metadata": {"a\n": "x"}}, ("metadata", "bad-character")),
        ({"metadata": {"x" * 41: "x"}}, ("metadata", "too-long")),
        ({"metadata": {str(n): "x" for n in range(21)}}, ("metadata", "too-many")),
        ({"meta": {}}, ("meta", "unknown-field")),
    ],
)
def test_what_is_refused(cast: Cast, program: Programs, body: Any, problem: tuple[str, str]) -> None:
    here = booking_of(cast, program)
    field, code = program("wang").patch(here, body).problems[0]
    assert (field, code.replace("unknown-field-near", "unknown-field")) == problem
    assert shown(program("wang").get(here).body) == NOTED


def test_a_hold_that_becomes_a_booking_has_them(cast: Cast, program: Programs) -> None:
    wish = {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "service_mode": "self",
    }
    wang = program("wang")
    hold = wang.post("holds/", wish).body["id"]
    made = wang.post("reservations/", wish | NOTED | {"hold": hold, "purpose": {"code": "research"}})
    assert (made.status, made.body["id"], shown(made.body)) == (201, hold, NOTED)
    assert REFERENCE not in str(list(TrailEntry.objects.values()))


def test_a_charge_has_the_reference_of_its_booking(cast: Cast, program: Programs, clock: Clock) -> None:
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    Reservation.objects.filter(pk=row.pk).update(reference=REFERENCE)
    clock.now = at("2026-03-06 13:00")
    assert program("wang").post(f"reservations/{row.pk}/cancel/", {}).status in {200, 409}
    Reservation.objects.filter(pk=row.pk).update(state="no_show", ended_at=clock.now)
    charge_make(reservation_id=row.pk, now=clock.now)
    for who in OURS:
        (charge,) = program(who).get(f"charges/?reference={REFERENCE}").body["results"]
        assert charge["reference"] == REFERENCE
        assert program(who).get(f"charges/{charge['id']}/").body["reference"] == REFERENCE
    for who in OTHERS:
        assert program(who).get(f"charges/?reference={REFERENCE}").body["results"] == []
        assert [each["reference"] for each in program(who).get("charges/").body["results"]] == [None]


def test_hosts_do_not_read_them_of_a_sample(cast: Cast, program: Programs) -> None:
    sample = announce(cast)
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), sample)
    here = f"samples/{sample.pk}/"
    assert shown(program("wang").patch(here, NOTED).body) == NOTED
    assert shown(program("chen").get(here).body) == NOTED
    assert program("wang").get(f"samples/?reference={REFERENCE}").ids == [str(sample.pk)]
    zhao = program("zhao")
    assert shown(zhao.get(here).body) == NOTHING
    assert zhao.get(f"samples/?reference={REFERENCE}").ids == []
    assert REFERENCE not in zhao.get("samples/?format=csv").body.decode()
    assert zhao.patch(here, {"reference": "mine"}).status == 404
    made = program("wang").post("samples/", {"name": "Film", "number": 2} | NOTED)
    assert shown(made.body) == NOTED
    assert len(program("wang").get(f"samples/?reference={REFERENCE}").ids) == 3


def test_readers_do_not_read_them_of_a_need(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    need = {
        "text": "grain size",
        "earliest": "2026-03-06T00:00:00Z",
        "latest": "2026-03-20T00:00:00Z",
        "minutes": 120,
    }
    made = wang.post("needs/", need | NOTED)
    assert shown(made.body) == NOTED
    here = made.headers["Location"]
    assert wang.post(here + "share/", {"person": str(cast.people["zhao"].pk)}).status == 200
    assert shown(wang.put(here, need | {"minutes": 60}).body) == NOTED
    assert wang.post(here + "withdraw/").status == 200
    noted = program("chen").patch(here, {"reference": "L2"})
    assert (noted.body["reference"], noted.body["state"]) == ("L2", "withdrawn")
    assert program("chen").get("needs/?reference=L2").ids == [made.body["id"]]
    zhao = program("zhao")
    assert shown(zhao.get(here).body) == NOTHING
    assert zhao.get("needs/?reference=L2").ids == []
    assert zhao.patch(here, {"reference": "mine"}).status == 404
    assert "L2" not in zhao.get("needs/?format=csv").body.decode()


def test_pages_show_them_to_the_payers_side_alone(cast: Cast, program: Programs, client: Client) -> None:
    booking = Reservation.objects.get(pk=booking_of(cast, program).rstrip("/").rpartition("/")[2])
    sample = announce(cast)
    join(cast, booking, sample)
    program("wang").patch(f"samples/{sample.pk}/", NOTED)
    pages = [
        reverse("bookings:reservation", args=[booking.pk]),
        reverse("bookings:sample-item", args=[sample.code]),
    ]
    for who, is_shown in (("wang", True), ("chen", True), ("zhao", False)):
        client.force_login(cast.people[who])
        for page in pages:
            answer = client.get(page)
            assert answer.status_code == 200
            assert (REFERENCE in answer.content.decode()) is is_shown


def test_who_made_a_booking_for_others_takes_nothing_of_it_along(cast: Cast, program: Programs) -> None:
    """They may have left the payer since."""
    body = {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "service_mode": "self",
        "purpose": {"code": "research"},
        "organisation": "fudan",
        "on_behalf_of": cast.wang.email,
    }
    made = program("chen").post("reservations/", body | NOTED)
    assert made.status == 201, made.body
    assert len(load_person(cast.chen)["bookings"]) == 1
    assert REFERENCE not in str(load_person(cast.chen))
    assert [row["reference"] for row in load_person(cast.wang)["booking_notes"]] == [REFERENCE]
