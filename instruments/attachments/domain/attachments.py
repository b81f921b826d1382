"""Decide which files a record may have, by their content and never by their names."""

from accounts.domain.errors import invalid

PHOTO, DOCUMENT = "photo", "document"
ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"
MOST = {PHOTO: 12, DOCUMENT: 20}  # of one instrument
MEGABYTE = 1_000_000
MOST_BYTES = {PHOTO: 15 * MEGABYTE, DOCUMENT: 25 * MEGABYTE}
# Limits that keep memory from filling up when a picture is unpacked, whatever the size of its file: a JPEG
# is unpacked at a fraction of its size, other formats in full.
MOST_PIXELS, MOST_PIXELS_JPEG = 25_000_000, 50_000_000
LEAST_SIDE = 200
LARGE, SMALL = 2000, 640  # the longer side of each stored size, in pixels

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
_END_OF_PDF = 2048  # from the end: some writers add bytes after %%EOF


def kind_of(content: bytes) -> str:
    """Return `photo` or `document`. Raise `Invalid` if the content is not JPEG, PNG, WebP or PDF, or is too
    large."""
    media_type = sniff(content)
    if not media_type:
        raise invalid("file", "unknown-file")
    kind = DOCUMENT if media_type == "application/pdf" else PHOTO
    if len(content) > MOST_BYTES[kind]:
        raise invalid("file", "upload-too-large", most=MOST_BYTES[kind] // MEGABYTE)
    if kind == DOCUMENT and b"%%EOF" not in content[-_END_OF_PDF:]:
        raise invalid("file", "broken-file")
    return kind


def sniff(content: bytes) -> str:
    """Return the media type that the first bytes show; empty if it is not an accepted one. A PDF must begin
    with its signature: readers tolerate text before it, so a web page could otherwise pass for a PDF."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


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
