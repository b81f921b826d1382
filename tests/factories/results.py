"""Results of bookings, made through the services."""

import base64
import hashlib
from typing import Any

from accounts.domain.roles import By
from bookings.models import HandOff, Reservation, ResultFile
from bookings.results.services.handoffs import hand_off_make, hand_off_release, hand_off_seal
from bookings.results.services.uploads import upload_begin, upload_write
from tests.factories.api import Answer, Program
from tests.factories.cast import NOW, Cast, reserve

TUS = {"Tus_Resumable": "1.0.0"}
PIECE = TUS | {"Content_Type": "application/offset+octet-stream"}


def announced(cast: Cast, reservation: Reservation | None = None) -> HandOff:
    """Results of Wang's booking, which are still to come."""
    booking = reservation or reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    return hand_off_make(By(cast.actor("zhao"), NOW), reservation_id=booking.pk)


def uploaded(
    cast: Cast, hand_off: HandOff, path: str = "spectrum.csv", content: bytes = b"1,2\n"
) -> ResultFile:
    """A whole file, sent in one piece."""
    by = By(cast.actor("zhao"), NOW)
    row = upload_begin(
        by, hand_off_id=hand_off.pk, path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    return upload_write(by, file_id=row.pk, at=0, data=content)


def released(cast: Cast, hand_off: HandOff | None = None) -> HandOff:
    """Results that can be collected, of two files."""
    hand_off = hand_off or announced(cast)
    uploaded(cast, hand_off)
    uploaded(cast, hand_off, "图像/样品 1.tif", b"II*\0" * 100)
    by = By(cast.actor("zhao"), NOW)
    hand_off_seal(by, hand_off_id=hand_off.pk)
    return hand_off_release(by, hand_off_id=hand_off.pk)


def metadata(**values: str) -> str:
    """Of `Upload-Metadata`."""
    pairs = values.items()
    return ",".join(f"{n} {base64.b64encode(v.encode()).decode()}" for n, v in pairs)


def begin(program: Program, hand_off: HandOff, path: str, size: Any, **more: str) -> Answer:
    """Begin a file by the protocol; `sha256` is that of the file."""
    named = {"hand_off": str(hand_off.pk), "path": path} | more
    headers = TUS | {"Upload_Length": str(size), "Upload_Metadata": metadata(**named)}
    return program.send("POST", "uploads/", **headers)


def send(program: Program, where: str, at: int, data: bytes, **more: str) -> Answer:
    """One piece."""
    headers = PIECE | {"Upload_Offset": str(at)} | more
    return program.send("PATCH", where, data, **headers)


def result_things(cast: Cast) -> dict[str, str]:
    """The ids of hand-offs that wait for each act, and of a file, by the words of the tests."""
    at = iter(range(8, 18, 2))
    of = cast.instrument(name="Hands over")

    def fresh() -> HandOff:
        hour = next(at)
        span = f"2026-03-10 {hour:02}:00", f"2026-03-10 {hour + 2:02}:00"
        return announced(cast, reserve(cast, *span, instrument=of))

    expected, uploading, sealed, done = (fresh() for _ in range(4))
    row = uploaded(cast, uploading)
    uploaded(cast, sealed)
    hand_off_seal(By(cast.actor("zhao"), NOW), hand_off_id=sealed.pk)
    return {
        "expected-results": str(expected.pk),
        "uploading-results": str(uploading.pk),
        "sealed-results": str(sealed.pk),
        "released-results": str(released(cast, done).pk),
        "result-file": str(row.pk),
    }
