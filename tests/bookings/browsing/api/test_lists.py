"""Lists of instruments through the API."""

from collections.abc import Callable

from bookings.models import InstrumentList, ListEntry
from tests.factories.api import Program
from tests.factories.cast import Cast

type Programs = Callable[..., Program]
ABSENT = "01920000-0000-7000-8000-000000000000"


def test_a_program_keeps_instruments(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    made = wang.post("lists/", {"name": "Thesis"}).body
    assert (made["name"], made["count"], made["is_favourites"]) == ("Thesis", 0, False)
    body = {"instrument": str(cast.microscope.pk), "list": made["id"], "note": "cryo"}
    entry = wang.post("lists/entries/", body).body
    assert (entry["note"], entry["is_shown"]) == ("cryo", True)
    assert wang.post("lists/entries/", body | {"note": "other"}).body == entry
    assert wang.get("lists/").body["results"][0]["count"] == 1
    assert wang.get(f"lists/entries/?list={made['id']}").ids == [entry["id"]]
    assert wang.get(f"lists/entries/?list={ABSENT}").ids == []
    entry = wang.patch(f"lists/entries/{entry['id']}/", {"note": "x"}).body
    assert (entry["note"], entry["version"]) == ("x", 2)
    assert wang.patch(f"lists/{made['id']}/", {"name": "Paper"}).body["name"] == "Paper"
    assert wang.delete(f"lists/entries/{entry['id']}/").status == 204
    assert wang.delete(f"lists/{made['id']}/").status == 204
    assert InstrumentList.objects.count() == 0


def test_what_cannot_be_changes_nothing(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    made = wang.post("lists/", {"name": "Thesis"}).body
    entry = wang.post("lists/entries/", {"instrument": str(cast.microscope.pk)}).body
    for body in (
        {"instrument": ABSENT},
        {"instrument": str(cast.microscope.pk), "list": ABSENT},
        {"instrument": "x"},
        {"instrument": str(cast.microscope.pk), "note": "x" * 1001},
    ):
        assert wang.post("lists/entries/", body).status == 400
    assert wang.post("lists/", {"name": "Thesis"}).status == 400
    assert wang.patch(f"lists/{entry['list']}/", {"name": "Mine"}).status == 409
    assert wang.patch(f"lists/{made['id']}/", {"name": "x"}, If_Match='"7"').status == 412
    assert program("sun").get(f"lists/{made['id']}/").status == 404
    assert program().get("lists/").status == 401
    assert (InstrumentList.objects.count(), ListEntry.objects.count()) == (2, 1)
