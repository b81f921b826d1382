"""Photos are unpacked with care and re-encoded; nothing but what is seen is kept."""

import io
import struct
import zlib

import pytest
from PIL import Image

from accounts.domain.errors import Invalid
from instruments.attachments.adapters.pictures import photo_of
from instruments.attachments.domain.attachments import kind_of, sniff
from tests.factories.attachments import PDF, picture


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        photo_of(content)
    (problem,) = refused.value.problems
    assert problem.field == "file"
    return problem.code


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [
        ("JPEG", "RGB", "#336699"),
        ("JPEG", "L", 90),
        ("JPEG", "CMYK", (0, 0, 0, 0)),
        ("PNG", "RGBA", (51, 102, 153, 0)),
        ("PNG", "P", 0),
        ("PNG", "I;16", 60000),
        ("WEBP", "RGB", "#336699"),
    ],
)
def test_every_mode_becomes_webp_in_rgb(kind, mode, colour):
    photo = photo_of(picture(300, 250, kind, mode=mode, colour=colour))
    for content in (photo.large, photo.small):
        assert (opened(content).format, opened(content).mode) == ("WEBP", "RGB")
    assert (photo.width, photo.height) == (300, 250)


def test_what_is_clear_is_seen_on_white():
    photo = photo_of(picture(300, 300, "PNG", mode="RGBA", colour=(0, 0, 0, 0)))
    assert min(opened(photo.large).getpixel((5, 5))) > 250


def test_upright_without_metadata_and_no_longer_than_allowed():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010F] = "Camera of Zhao Min"
    exif.get_ifd(0x8825)[2] = (31.0, 50.0, 0.0)  # GPS
    photo = photo_of(picture(3000, 1000, exif=exif))
    assert (photo.width, photo.height) == (667, 2000)
    assert opened(photo.small).size == (213, 640)
    for content in (photo.large, photo.small):
        assert not opened(content).getexif()
        assert b"Zhao" not in content
        assert not {"exif", "icc_profile", "xmp"} & set(opened(content).info)


def test_a_page_behind_a_picture_is_not_kept():
    photo = photo_of(picture() + b"<script>alert(1)</script>")
    assert b"<script>" not in photo.large + photo.small


def bomb(side: int) -> bytes:
    """A PNG that says it has side x side pixels, and hardly a byte of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_too_many_pixels_are_refused_before_they_are_unpacked():
    assert refusal(bomb(8_000)) == "too-many-pixels"
    assert refusal(bomb(60_000)) in {"too-many-pixels", "broken-file"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (picture(199, 500), "picture-too-small"),
        (picture(900, 900)[:2000], "broken-file"),
        (bomb(500), "broken-file"),
        (b"\xff\xd8\xff" + b"\0" * 500, "broken-file"),
        (b"", "broken-file"),
        (PDF, "broken-file"),
    ],
)
def test_refused(content, code):
    assert refusal(content) == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html><script>alert(1)</script>", "unknown-file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown-file"),
        (b"<html>" + PDF, "unknown-file"),
        (b"GIF89a" + b"\0" * 100, "unknown-file"),
        (b"PK\x03\x04", "unknown-file"),
        (b"%PDF-1.7 and nothing more", "broken-file"),
        (b"\xff\xd8\xff" + b"\0" * 15_000_000, "upload-too-large"),
        (PDF + b"\0" * 25_000_000, "upload-too-large"),
    ],
)
def test_only_photos_and_documents_by_their_content(content, code):
    with pytest.raises(Invalid) as refused:
        kind_of(content)
    assert refused.value.problems[0].code == code


def test_kinds():
    assert kind_of(PDF) == "document"
    assert {sniff(picture(kind=k)) for k in ("JPEG", "PNG", "WEBP")} == {
        "image/jpeg",
        "image/png",
        "image/webp",
    }
