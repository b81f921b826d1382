"""Samples through the API."""

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.models import BookedSample, Reservation, SampleItem
from tests.factories.api import BASE, Program
from tests.factories.attachments import PDF
from tests.factories.cast import Cast, reserve
from tests.factories.samples import announce, join, refuse

type Programs = Callable[..., Program]
RESERVATION = {
    "start": "2026-03-06T02:00:00Z",
    "end": "2026-03-06T04:00:00Z",
    "service_mode": "self",
    "purpose": {"code": "research"},
}


def test_from_announcing_to_giving_back(cast: Cast, program: Programs) -> None:
    wang, zhao = program("wang"), program("zhao")
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    made = wang.post("samples/", {"name": "Film", "hazards": ["toxic"], "amount": "5 mg"})
    assert (made.status, made.body["state"], made.body["organisation"]) == (201, "announced", "fudan")
    here = made.headers["Location"]
    assert zhao.get(here).status == 404
    joined = wang.post(here + "join/", {"reservation": str(booking.pk)})
    assert joined.body["bookings"][0]["reservation"] == str(booking.pk)
    wang.post(here + "steps/", {"state": "shipped", "carrier": "SF", "tracking": "SF1"})
    due = zhao.get("samples/?waits=due").body
    assert [row["code"] for row in due["results"]] == [made.body["code"]]
    received = zhao.post(here + "steps/", {"state": "received", "condition": "damaged"})
    assert received.body["steps"][-1]["condition"] == "damaged"
    assert received.body["steps"][-1]["place"] == "Instruments Centre"
    assert zhao.post(here + "steps/", {"state": "announced"}).code == "sample-step"
    assert wang.post(here + "leave/", {"reservation": str(booking.pk)}).code == "sample-away"
    assert zhao.get("samples/?waits=due").body["results"] == []
    assert len(wang.get(f"samples/?code={made.body['code']}&state=received").body["results"]) == 1
    assert wang.get("samples/?waits=due").status == 403
    assert wang.get("samples/?code=x").problems == [("code", "not-a-sample-code")]


def test_staff_cannot_ask_where_else_a_sample_is_booked(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Other")
    here = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    elsewhere = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=other)
    sample = announce(cast)
    join(cast, here, sample)
    join(cast, elsewhere, sample)
    BookedSample.objects.filter(reservation=elsewhere).update(host=cast.optics)
    asked = {
        f"{name}={pk}"
        for row in (here, elsewhere)
        for name, pk in (("reservation", row.pk), ("instrument", row.instrument_id))
    }
    found = {
        who: {one for one in asked if program(who).get(f"samples/?{one}").body["results"]}
        for who in ("zhao", "wang")
    }
    own = {f"reservation={here.pk}", f"instrument={here.instrument_id}"}
    assert found == {"zhao": own, "wang": asked}


def test_the_same_step_of_many(cast: Cast, program: Programs) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    rows = [announce(cast) for _ in range(3)]
    join(cast, booking, *rows)
    ids = [str(row.pk) for row in rows]
    answer = program("zhao").post("samples/steps/", {"state": "received", "samples": ids})
    assert [row["state"] for row in answer.body["results"]] == ["received"] * 3
    again = program("wang").post("samples/steps/", {"state": "cancelled", "samples": ids})
    assert again.code == "sample-step"
    assert SampleItem.objects.filter(state="received").count() == 3


def test_a_booking_and_a_quote_name_what_is_not_accepted(cast: Cast, program: Programs) -> None:
    refuse(cast, cast.microscope, "magnetic")
    sample, plain = announce(cast, hazards=["magnetic"]), announce(cast)
    wang = program("wang")
    asked = RESERVATION | {"instrument": str(cast.microscope.pk)}
    quoted = wang.post(
        "quotes/",
        {name: asked[name] for name in ("instrument", "start", "end")} | {"sample_items": [str(sample.pk)]},
    )
    (refusal,) = quoted.body["refusals"]
    assert (refusal["code"], refusal["hazard"]) == ("hazard-not-accepted", "magnetic")
    assert refusal["sample"] == f"{sample.code[:4]}-{sample.code[4:]}"
    refused = wang.post("reservations/", asked | {"sample_items": [str(sample.pk)]})
    assert (refused.status, refused.code) == (422, "hazard-not-accepted")
    assert not Reservation.objects.exists()
    booked = wang.post("reservations/", asked | {"sample_items": [str(plain.pk)]})
    assert booked.status == 201
    assert BookedSample.objects.get().sample == plain
    changed = wang.put(f"samples/{plain.pk}/", {"name": "Film", "hazards": ["magnetic"]})
    assert (changed.status, changed.code) == (422, "hazard-not-accepted")
    found = wang.get(f"samples/?reservation={booked.body['id']}").body["results"]
    assert [row["id"] for row in found] == [str(plain.pk)]


def test_what_is_wrong_is_said(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    assert wang.post("samples/", {"name": " "}).problems == [("name", "required")]
    assert wang.post("samples/", {"name": "A", "hazards": ["dull"]}).status == 400
    assert wang.post("samples/", {"name": "A", "number": 101}).status == 400
    assert not SampleItem.objects.exists()


def test_several_at_once_with_an_idempotency_key_are_announced_once(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    for _ in range(2):
        made = wang.post("samples/", {"name": "A", "number": 3}, Idempotency_Key="three")
        assert made.status == 201
    assert SampleItem.objects.count() == 3


def test_labels(cast: Cast, program: Programs) -> None:
    sample = announce(cast)
    answer = program("wang").get(f"samples/labels/?samples={sample.pk}&layout=roll")
    assert answer.status == 200
    assert program("wang").get("samples/labels/?samples=x").problems == [("samples", "not-an-id")]
    assert program("hu").get(f"samples/labels/?samples={sample.pk}").status == 404


def test_a_safety_data_sheet_is_uploaded_and_removed(cast: Cast, program: Programs, client: Client) -> None:
    sample, wang = announce(cast), program("wang")

    def send(who: Program, content: bytes) -> int:
        body = {"file": SimpleUploadedFile("a.pdf", content), "name": "acetone.pdf"}
        token = {"Authorization": f"Bearer {who.token}"}
        return client.post(f"{BASE}samples/{sample.pk}/sheet/", body, headers=token).status_code

    assert [send(wang, b"x"), send(program("sun"), PDF), send(wang, PDF)] == [400, 404, 200]
    sheet = wang.get(f"samples/{sample.pk}/").body["sheet"]
    assert (sheet["title"], sheet["media_type"]) == ("acetone.pdf", "application/pdf")
    path = sheet["files"]["file"]
    answer = client.get(path, headers={"Authorization": f"Bearer {wang.token}"})
    assert b"".join(answer.streaming_content) == PDF
    assert program("sun").get(path).status == 404
    assert wang.delete(f"samples/{sample.pk}/sheet/").status == 204
    assert wang.get(f"samples/{sample.pk}/").body["sheet"] is None
