"""Decide which files a record may have, by their content and never by their names."""

import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from accounts.domain.errors import invalid

PHOTO, DOCUMENT = "photo", "document"
PDF = "application/pdf"
ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"
# Where office documents are taken, too: these are only ever saved, so that their type is not told.
ACCEPTED_WITH_OFFICE = f"{ACCEPTED},.xlsx,.docx,.ods,.odt"
OFFICE = "application/octet-stream"
_PARTS = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}
_OPEN_DOCUMENTS = {
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.text": "odt",
}
MOST_OF_LIST = 1_000_000  # bytes of an archive's list of names
MOST = {PHOTO: 12, DOCUMENT: 20}  # of one instrument
MEGABYTE = 1_000_000
MOST_BYTES = {PHOTO: 15 * MEGABYTE, DOCUMENT: 25 * MEGABYTE}
# Limits that keep memory from filling up when a picture is unpacked, whatever the size of its file: a JPEG
# is unpacked at a fraction of its size, other formats in full.
MOST_PIXELS, MOST_PIXELS_JPEG = 25_000_000, 50_000_000
LEAST_SIDE = 200
LARGE, SMALL = 2000, 640  # the longer side of each stored size, in pixels

_SIGNATURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", PDF))
_END_OF_PDF = 2048  # from the end: some writers add bytes after %%EOF


def kind_of(content: bytes, *, takes_office: bool = False) -> str:
    """Return `photo` or `document`. Raise `Invalid` if the content is not JPEG, PNG, WebP or PDF, nor, where
    these are taken, a spreadsheet or text without macros; or if it is too large."""
    media_type = sniff(content)
    is_office = not media_type and takes_office and bool(office_ending(content))
    if not media_type and not is_office:
        raise invalid("file", "unknown-office-file" if takes_office else "unknown-file")
    kind = DOCUMENT if is_office or media_type == PDF else PHOTO
    if len(content) > MOST_BYTES[kind]:
        raise invalid("file", "upload-too-large", most=MOST_BYTES[kind] // MEGABYTE)
    if media_type == PDF and b"%%EOF" not in content[-_END_OF_PDF:]:
        raise invalid("file", "broken-file")
    return kind


def sniff(content: bytes) -> str:
    """Return the media type that the first bytes show; empty if it is not an accepted one. A PDF must begin
    with its signature: readers tolerate text before it, so a web page could otherwise pass for a PDF."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


def office_ending(content: bytes) -> str:
    """Return `xlsx`, `docx`, `ods` or `odt` for a spreadsheet or text of these formats, by its content; empty
    for anything else, and for one with macros. Only the archive's list of names is read, and only if it is
    short."""
    end, locator = content[-22:], content[-42:-38]
    if not content.startswith(b"PK\x03\x04") or not end.startswith(b"PK\x05\x06") or locator == b"PK\x06\x07":
        return ""
    if int.from_bytes(end[12:16], "little") > MOST_OF_LIST:
        return ""
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
            kind = archive.open("mimetype").read(100) if "mimetype" in names else b""
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zlib.error):
        return ""
    if any(name.endswith("vbaProject.bin") or name.startswith("Basic/") for name in names):
        return ""
    if "[Content_Types].xml" in names:
        return next((ending for ending, part in _PARTS.items() if part in names), "")
    return _OPEN_DOCUMENTS.get(kind, "")


def ending_of(media_type: str, title: str) -> str:
    """Return the ending with which a stored document or picture is saved: an office document has it in its
    title."""
    return {PDF: "pdf", "image/webp": "webp"}.get(media_type) or title.rpartition(".")[2]


def check_size(width: int, height: int, *, is_jpeg: bool) -> None:
    """Raise `Invalid` if a picture has too many pixels or a side that is too short; call it before
    unpacking."""
    most = MOST_PIXELS_JPEG if is_jpeg else MOST_PIXELS
    if width * height > most:
        raise invalid("file", "too-many-pixels", most=most // 1_000_000)
    if min(width, height) < LEAST_SIDE:
        raise invalid("file", "picture-too-small", least=LEAST_SIDE)


def check_room(kind: str, there: int) -> None:
    """Raise `Invalid` if an instrument already has as many files of a kind (`there`) as it may."""
    if there < MOST[kind]:
        return
    if kind == PHOTO:
        raise invalid("file", "too-many-photos", most=MOST[kind])
    raise invalid("file", "too-many-documents", most=MOST[kind])
