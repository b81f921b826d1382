"""Files in pieces, in a folder and in a bucket: what is taken, refused, checked and given up."""

import hashlib
import os
import random
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.models import HandOff, HostStorage, ResultFile
from bookings.overview.services.effects import effects_carry_out
from bookings.results.domain.handoffs import UPLOAD_LASTS, UPLOAD_LIVES
from bookings.results.services import uploads
from bookings.results.services import uploads as upload_services
from bookings.results.services.handoffs import hand_off_seal, storage_set
from tests.factories.buckets import stored
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.results import announced, uploaded

pytestmark = pytest.mark.django_db
MB = 1 << 20


@pytest.fixture
def by(cast: Cast) -> By:
    return By(cast.actor("zhao"), NOW)


@pytest.fixture
def hand_off(cast: Cast, settings: Any, tmp_path: Any) -> HandOff:
    settings.MEDIA_ROOT = tmp_path / "media"
    return announced(cast)


def content_of(row: ResultFile) -> bytes:
    with default_storage.open(row.storage) as file:
        return file.read()


@pytest.mark.usefixtures("either_storage")
@pytest.mark.parametrize(
    "sizes",
    [
        [0],
        [1],
        [5 * MB],
        [1, 2, 3],
        [6 * MB, 6 * MB, 100],
        [100, 6 * MB, 5 * MB - 1, 1, 7],
        [4 * MB, 4 * MB, 4 * MB],
    ],
)
def test_pieces_of_any_size_come_to_the_file(cast: Cast, by: By, hand_off: HandOff, sizes: list[int]) -> None:
    content = random.Random(7).randbytes(sum(sizes))
    digest = hashlib.sha256(content).hexdigest()
    row = upload_services.upload_begin(
        by, hand_off_id=hand_off.pk, path="a/b.bin", size=len(content), sha256=digest
    )
    at = 0
    for size in sizes:
        row = upload_services.upload_write(by, file_id=row.pk, at=at, data=content[at : at + size])
        at += size
        assert row.received == at
    if len(sizes) > 1:
        assert row.state == "checking"
        assert upload_services.files_check(now=NOW) == 1
        row.refresh_from_db()
    assert (row.state, row.sha256, row.expires_at) == ("checked", digest, None)
    assert content_of(row) == content
    assert stored() == [row.storage]  # nothing is left beside it
    hand_off.refresh_from_db()
    assert hand_off.state == "uploading"
    assert HostStorage.objects.get().reserved == len(content)


@pytest.mark.usefixtures("either_storage")
def test_what_was_not_acknowledged_is_written_over(
    by: By, hand_off: HandOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the store has a piece and the database does not yet, each time."""
    content = random.Random(8).randbytes(13 * MB)
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=len(content))
    receive = uploads.file_receive

    class Killed(BaseException):
        pass

    def receive_and_die(*given: Any) -> None:
        receive(*given)
        raise Killed

    at = 0
    for size in (6 * MB, MB, 5 * MB, MB):
        piece = content[at : at + size]
        for _ in range(2):
            with monkeypatch.context() as patched:
                patched.setattr(uploads, "file_receive", receive_and_die)
                # Half of a piece may come again as a whole.
                with pytest.raises(Killed):
                    upload_services.upload_write(by, file_id=row.pk, at=at, data=piece[: len(piece) // 2])
                with pytest.raises(Killed):
                    upload_services.upload_write(by, file_id=row.pk, at=at, data=piece)
        assert ResultFile.objects.get().received == at
        row = upload_services.upload_write(by, file_id=row.pk, at=at, data=piece)
        at += size
    assert upload_services.files_check(now=NOW) == 1
    row.refresh_from_db()
    assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert content_of(row) == content


def test_bytes_that_the_store_lost_are_never_a_gap(by: By, hand_off: HandOff) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=10)
    upload_services.upload_write(by, file_id=row.pk, at=0, data=b"12345")
    os.truncate(default_storage.path(row.storage), 3)
    with pytest.raises(WrongState) as refused:
        upload_services.upload_write(by, file_id=row.pk, at=5, data=b"67890")
    assert refused.value.code == "upload-lost"
    assert ResultFile.objects.get().received == 5


def test_the_bucket_says_so_too(by: By, hand_off: HandOff, bucket: Any) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=10)
    upload_services.upload_write(by, file_id=row.pk, at=0, data=b"12345")
    default_storage.delete(f"{row.storage}.rest")
    with pytest.raises(WrongState) as refused:
        upload_services.upload_write(by, file_id=row.pk, at=5, data=b"67890")
    assert refused.value.code == "upload-lost"


def test_an_offset_that_is_none(by: By, hand_off: HandOff) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=10)
    for at in (1, 10, 11, 2**40):
        with pytest.raises(upload_services.OffsetDiffers) as refused:
            upload_services.upload_write(by, file_id=row.pk, at=at, data=b"x")
        assert refused.value.numbers == {"offset": 0}
    with pytest.raises(Invalid) as too_large:
        upload_services.upload_write(by, file_id=row.pk, at=0, data=b"x" * 11)
    assert [p.code for p in too_large.value.problems] == ["too-large"]
    assert stored() == []
    upload_services.upload_write(by, file_id=row.pk, at=0, data=b"x" * 10)
    with pytest.raises(Invalid):
        upload_services.upload_write(by, file_id=row.pk, at=10, data=b"x")
    assert content_of(row) == b"x" * 10


def test_what_differs_from_its_statement_is_not_sealed(by: By, hand_off: HandOff) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=3, sha256="0" * 64)
    assert upload_services.upload_write(by, file_id=row.pk, at=0, data=b"abc").state == "differs"
    long = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=3, sha256="0" * 64)
    upload_services.upload_write(by, file_id=long.pk, at=0, data=b"a")
    upload_services.upload_write(by, file_id=long.pk, at=1, data=b"bc")
    with pytest.raises(WrongState) as refused:
        hand_off_seal(by, hand_off_id=hand_off.pk)
    assert refused.value.code == "files-not-ready"
    assert refused.value.numbers == {"count": 2, "files": "a, b"}
    upload_services.files_check(now=NOW)
    long.refresh_from_db()
    assert long.state == "differs"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"path": "../a"}, ("path", "path-wrong")),
        ({"size": -1}, ("size", "out-of-range")),
        ({"size": 10**18}, ("size", "out-of-range")),
        ({"sha256": "ABC"}, ("sha256", "not-a-digest")),
        ({"sha256": "A" * 64}, ("sha256", "not-a-digest")),
    ],
)
def test_wrong_shape(by: By, hand_off: HandOff, values: dict[str, Any], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        upload_services.upload_begin(by, **{"hand_off_id": hand_off.pk, "path": "a", "size": 1} | values)
    assert [(p.field, p.code) for p in refused.value.problems] == [problem]
    assert not ResultFile.objects.exists() and not HostStorage.objects.exists()


@pytest.mark.parametrize(
    ("there", "path"),
    [("data/a.txt", "Data/A.TXT"), ("re\u0301.txt", "R\u00c9.TXT"), ("a", "a/b"), ("A/b/c", "a/B")],
)
def test_paths_are_once_whatever_their_case(
    cast: Cast, by: By, hand_off: HandOff, there: str, path: str
) -> None:
    row = uploaded(cast, hand_off, there)
    with pytest.raises(WrongState) as refused:
        upload_services.upload_begin(by, hand_off_id=hand_off.pk, path=path, size=1)
    assert (refused.value.code, refused.value.numbers["upload"]) == ("path-taken", str(row.pk))
    assert ResultFile.objects.count() == 1


def test_quota_is_set_aside_before_the_first_byte(cast: Cast, by: By, hand_off: HandOff) -> None:
    admin = By(cast.actor("admin"), NOW)
    storage_set(admin, organisation_id=cast.ustc.pk, quota=100)
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=60)
    with pytest.raises(upload_services.StorageFull) as refused:
        upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=41)
    assert refused.value.numbers == {"left": 40, "size": 41}
    assert ResultFile.objects.count() == 1
    upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="c", size=40)
    upload_services.file_remove(by, file_id=row.pk)
    assert HostStorage.objects.get().reserved == 40
    storage_set(admin, organisation_id=cast.ustc.pk, quota=10)  # what is there stays
    with pytest.raises(upload_services.StorageFull) as refused:
        upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=0 + 1)
    assert refused.value.numbers["left"] == 0


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**32, 5 * 2**32 + 7])
def test_beyond_what_four_bytes_count(
    cast: Cast, by: By, hand_off: HandOff, settings: Any, size: int
) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=size)
    assert HostStorage.objects.get().reserved == size
    storage_set(By(cast.actor("admin"), NOW), organisation_id=cast.ustc.pk, quota=2 * size)
    upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=size)
    with pytest.raises(upload_services.StorageFull):
        upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="c", size=1)
    upload_services.file_remove(by, file_id=row.pk)
    assert HostStorage.objects.get().reserved == size


def test_quota_as_usual(by: By, hand_off: HandOff, settings: Any) -> None:
    settings.RESULTS_QUOTA = 10
    with pytest.raises(upload_services.StorageFull):
        upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=11)
    upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=10)


def test_who_may(cast: Cast, hand_off: HandOff) -> None:
    row = uploaded(cast, hand_off)
    for name, refusal in {
        "wang": NotPermitted,  # whose results they are
        "chen": NotPermitted,
        "gao": NotPermitted,  # of the host's money, not of its instruments
        "auditor": NotPermitted,
        "sun": NotFound,
        "hu": NotFound,
        "alice": NotFound,
    }.items():
        other = By(cast.actor(name), NOW)
        with pytest.raises(refusal):
            upload_services.upload_begin(other, hand_off_id=hand_off.pk, path="x", size=1)
        with pytest.raises(refusal):
            upload_services.upload_write(other, file_id=row.pk, at=0, data=b"x")
        with pytest.raises(refusal):
            upload_services.file_remove(other, file_id=row.pk)
    assert ResultFile.objects.count() == 1


def test_after_the_seal_nothing_changes(cast: Cast, by: By, hand_off: HandOff) -> None:
    row = uploaded(cast, hand_off)
    hand_off_seal(by, hand_off_id=hand_off.pk)
    for act in (
        lambda: upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=1),
        lambda: upload_services.upload_write(by, file_id=row.pk, at=0, data=b"9,9\n"),
        lambda: upload_services.upload_write(by, file_id=row.pk, at=4, data=b""),
        lambda: upload_services.file_remove(by, file_id=row.pk),
    ):
        with pytest.raises(WrongState):
            act()
    assert content_of(row) == b"1,2\n"


@pytest.mark.usefixtures("either_storage")
def test_a_removed_file_leaves_no_byte(cast: Cast, by: By, hand_off: HandOff) -> None:
    whole = uploaded(cast, hand_off, "a")
    half = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="b", size=8 * MB)
    upload_services.upload_write(by, file_id=half.pk, at=0, data=b"x" * 6 * MB)
    upload_services.upload_write(by, file_id=half.pk, at=6 * MB, data=b"x")
    for row in (whole, half):
        upload_services.file_remove(by, file_id=row.pk)
    assert stored() != []
    assert effects_carry_out(now=NOW) >= 2
    assert stored() == []
    assert not OutboxMessage.objects.filter(kind="resultfile.drop").exclude(outcome="done").exists()
    hand_off.refresh_from_db()
    assert hand_off.state == "expected"
    assert HostStorage.objects.get().reserved == 0
    assert TrailEntry.objects.filter(action="handoff.file-remove").count() == 2


def test_an_upload_without_a_byte_for_a_week_is_given_up(cast: Cast, by: By, hand_off: HandOff) -> None:
    uploaded(cast, hand_off, "whole")
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=100)
    later = NOW + timedelta(days=6)
    upload_services.upload_write(By(by.actor, later), file_id=row.pk, at=0, data=b"x")
    assert upload_services.uploads_expire(now=NOW + UPLOAD_LIVES) == 0
    assert upload_services.uploads_expire(now=later + UPLOAD_LIVES - timedelta(seconds=1)) == 0
    assert upload_services.uploads_expire(now=later + UPLOAD_LIVES) == 1
    assert [file.path for file in ResultFile.objects.all()] == ["whole"]
    assert HostStorage.objects.get().reserved == 4
    with pytest.raises(NotFound):
        upload_services.upload_write(by, file_id=row.pk, at=1, data=b"x")


def test_nor_does_a_byte_now_and_then_keep_it_for_ever(by: By, hand_off: HandOff) -> None:
    row = upload_services.upload_begin(by, hand_off_id=hand_off.pk, path="a", size=100)
    for n in range(5):
        at = By(by.actor, NOW + n * timedelta(days=6))
        upload_services.upload_write(at, file_id=row.pk, at=n, data=b"x")
    assert upload_services.uploads_expire(now=NOW + UPLOAD_LASTS) == 1


def test_only_of_bookings_that_take_place(cast: Cast, by: By, settings: Any) -> None:
    manual = cast.instrument(name="Cryo-EM", policy={"approval": "manual"})
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=manual)
    with pytest.raises(WrongState):
        announced(cast, asked)
    assert not HandOff.objects.exists()
