"""Uploads, seals and removals at the same moment, each with a connection of its own."""

from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from bookings.models import HandOff, HostStorage, ResultFile
from bookings.results.services import uploads
from bookings.results.services.handoffs import hand_off_make, hand_off_seal, storage_set
from tests.concurrency.races import won
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.results import announced, uploaded

pytestmark = pytest.mark.concurrency


@pytest.fixture
def by(real_cast: Cast, settings: Any, tmp_path: Any) -> By:
    settings.MEDIA_ROOT = tmp_path / "media"
    return By(real_cast.actor("zhao"), NOW)


@pytest.fixture
def hand_off(by: By, real_cast: Cast) -> HandOff:
    return announced(real_cast)


def kinds(results: list[Any]) -> set[type]:
    return {type(result) for result in results} - {ResultFile, HandOff, type(None)}


def test_twenty_files_for_the_place_of_three(
    by: By, real_cast: Cast, hand_off: HandOff, race: Any, rounds: Any
) -> None:
    admin = By(real_cast.actor("admin"), NOW)
    storage_set(admin, organisation_id=real_cast.ustc.pk, quota=35)
    for n in range(rounds(5)):
        results = race(
            [
                lambda p=f"{n}/{i}": uploads.upload_begin(by, hand_off_id=hand_off.pk, path=p, size=10)
                for i in range(20)
            ]
        )
        made = won(results)
        assert (len(made), kinds(results)) == (3, {uploads.StorageFull})
        assert HostStorage.objects.get().reserved == 30
        race([lambda row=row: uploads.file_remove(by, file_id=row.pk) for row in made])
        assert HostStorage.objects.get().reserved == 0
        assert not ResultFile.objects.exists()


def test_one_path_is_begun_once(by: By, hand_off: HandOff, race: Any, rounds: Any) -> None:
    for n in range(rounds(5)):
        paths = [(f"{n}/Data.csv", f"{n}/data.CSV")[i % 2] for i in range(10)]
        results = race(
            [lambda p=p: uploads.upload_begin(by, hand_off_id=hand_off.pk, path=p, size=1) for p in paths]
        )
        assert (len(won(results)), kinds(results)) == (1, {WrongState})


def test_two_pieces_at_one_offset_never_mix(by: By, hand_off: HandOff, race: Any, rounds: Any) -> None:
    """Each piece is of one letter: what is stored is whole pieces, and what is acknowledged."""
    for n in range(rounds(4)):
        row = uploads.upload_begin(by, hand_off_id=hand_off.pk, path=f"{n}", size=4 * 200_000)
        letters = [bytes([65 + i]) for i in range(8)]
        for at in range(0, row.size, 200_000):
            results = race(
                [
                    lambda c=c, at=at, pk=row.pk: uploads.upload_write(
                        by, file_id=pk, at=at, data=c * 200_000
                    )
                    for c in letters
                ]
            )
            assert len(won(results)) == 1
            assert kinds(results) <= {uploads.OffsetDiffers, uploads.UploadBusy, Invalid}
        row.refresh_from_db()
        with default_storage.open(row.storage) as file:
            content = file.read()
        assert len(content) == row.size == row.received
        for at in range(0, row.size, 200_000):
            assert len(set(content[at : at + 200_000])) == 1


def test_a_seal_has_every_file_that_was_taken_and_no_other(
    by: By, real_cast: Cast, race: Any, rounds: Any
) -> None:
    for n in range(rounds(4)):
        booking = real_cast.instrument(name=f"Free {n}")
        hand_off = announced(real_cast, _booked(real_cast, booking))
        for i in range(3):
            uploaded(real_cast, hand_off, f"{i}")
        rows = list(ResultFile.objects.filter(hand_off=hand_off))
        results = race(
            [
                lambda h=hand_off: hand_off_seal(by, hand_off_id=h.pk),
                *(lambda i=i, h=hand_off: uploaded(real_cast, h, f"later {i}") for i in range(3)),
                lambda row=rows[0]: uploads.file_remove(by, file_id=row.pk),
            ]
        )
        assert all(issubclass(kind, (WrongState, NotFound)) for kind in kinds(results))
        hand_off.refresh_from_db()
        if hand_off.state == "sealed":
            there = ResultFile.objects.filter(hand_off=hand_off)
            assert {e["path"] for e in hand_off.manifest} == {f.path for f in there}
            assert {f.state for f in there} == {"checked"}


def test_announced_once_by_however_many(by: By, real_cast: Cast, race: Any) -> None:
    booking = _booked(real_cast, real_cast.microscope)
    made = race([lambda: hand_off_make(by, reservation_id=booking.pk)] * 10)
    assert len({row.pk for row in made}) == 1
    assert HandOff.objects.count() == 1


def _booked(cast: Cast, instrument: Any) -> Any:

    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
