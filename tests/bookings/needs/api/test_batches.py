"""Batches through the API."""

from collections.abc import Callable

from bookings.needs.services.batches import batches_place
from tests.factories.api import Clock, Program
from tests.factories.batches import flexible
from tests.factories.cast import NOW, Cast

type Programs = Callable[..., Program]
BATCH = {"region": "CN-AH", "starts_at": "2026-03-06T00:00:00Z", "ends_at": "2026-03-20T00:00:00Z"}


def test_from_a_batch_to_a_booking(cast: Cast, program: Programs, clock: Clock) -> None:
    first, second = flexible(cast), flexible(cast, "hu")
    coordinator, sun, hu = program("coordinator"), program("sun"), program("hu")
    made = coordinator.post("batches/", BATCH)
    assert (made.status, made.body["state"], made.body["needs"]) == (201, "waiting", 0)
    batches_place(now=NOW)
    batch = coordinator.get(made.headers["Location"]).body
    assert (batch["state"], batch["needs"], batch["offered"], batch["accepted"]) == (
        "placed", 2, 2, 0,
    )  # fmt: skip
    assert batch["percent"] == 100
    (place,) = sun.get("batch-places/").body["results"]
    assert (place["need"], place["state"], place["currency"]) == (str(first.pk), "offered", "CNY")
    done = sun.post(f"batch-places/{place['id']}/accept/", {})
    assert (done.status, done.body["state"], done.body["kept_until"]) == (200, "accepted", None)
    again = sun.post(f"batch-places/{place['id']}/accept/", {})
    assert (again.status, again.code) == (409, "place-gone")
    (other,) = hu.get("batch-places/").body["results"]
    assert other["need"] == str(second.pk)
    assert sun.post(f"batch-places/{other['id']}/give-back/", {}).status == 404
    assert hu.post(f"batch-places/{other['id']}/give-back/", {}).body["state"] == "given_back"
    assert coordinator.get(made.headers["Location"]).body["accepted"] == 1


def test_only_coordinators_of_the_region_start_one(cast: Cast, program: Programs, clock: Clock) -> None:
    for nobody in ("sun", "zhao", "xu"):
        assert program(nobody).post("batches/", BATCH).status == 403
    assert program("coordinator").post("batches/", BATCH | {"region": "XX"}).status == 400
