"""Which files may stand beside a record, known by their content and never by their name."""

from accounts.domain.errors import invalid

PHOTO, DOCUMENT = "photo", "document"
ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"
MOST = {PHOTO: 12, DOCUMENT: 20}  # of one instrument
MEGABYTE = 1_000_000
MOST_BYTES = {PHOTO: 15 * MEGABYTE, DOCUMENT: 25 * MEGABYTE}
# Small enough not to fill the memory when unpacked, whatever the file's size: a JPEG is unpacked
# at a fraction of it, others whole.
MOST_PIXELS, MOST_PIXELS_JPEG = 25_000_000, 50_000_000
LEAST_SIDE = 200
LARGE, SMALL = 2000, 640  # the longer side of what is kept, in pixels

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
_END_OF_PDF = 2048  # from the end: some writers add bytes after %%EOF


def kind_of(content: bytes) -> str:
    """`photo` or `document`. `Invalid` for anything but JPEG, PNG, WebP and PDF, and for what is
    too large."""
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
    """Return the media type that the first bytes say; empty for none of ours. A PDF must begin with
    its signature: readers forgive what comes before, and so a page could pass for one."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


def check_size(width: int, height: int, *, is_jpeg: bool) -> None:
    """Raise `Invalid` if a picture, in pixels and before it is unpacked, is too large or small."""
    most = MOST_PIXELS_JPEG if is_jpeg else MOST_PIXELS
    if width * height > most:
        raise invalid("file", "too-many-pixels", most=most // 1_000_000)
    if min(width, height) < LEAST_SIDE:
        raise invalid("file", "picture-too-small", least=LEAST_SIDE)


def check_room(kind: str, there: int) -> None:
    """Raise `Invalid` where an instrument has as many of a kind as it may."""
    if there < MOST[kind]:
        return
    if kind == PHOTO:
        raise invalid("file", "too-many-photos", most=MOST[kind])
    raise invalid("file", "too-many-documents", most=MOST[kind])
