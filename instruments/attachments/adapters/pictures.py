"""Re-encode photos with Pillow, so that nothing of an uploaded file but its visible picture is kept."""

import io
import struct
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, ImageCms

from accounts.domain.errors import invalid
from instruments.attachments.domain.attachments import LARGE, SMALL, check_size

MEDIA_TYPE = "image/webp"
# Exceptions that libraries raise for broken or hostile files.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
_FORMATS = ("JPEG", "PNG", "WEBP")
_STRIP = 256  # rows
# The orientation that a camera records, and the operation that turns the picture upright.
_TURNS = dict(
    enumerate(
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        start=2,
    )
)
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class Photo:
    """A photo in two sizes, both WebP; `width` and `height` are the pixels of the larger."""

    large: bytes
    small: bytes
    width: int
    height: int


def photo_of(content: bytes) -> Photo:
    """Return a picture upright, in sRGB, at most `LARGE` pixels on its longer side and without metadata (no
    place, no camera owner). Raise `Invalid` if the content is not a picture or is too large."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            check_size(*opened.size, is_jpeg=opened.format == "JPEG")  # before anything is unpacked
            opened.draft("RGB", (LARGE, LARGE))
            turn = _TURNS.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
            profile = opened.info.get("icc_profile")
            picture = _on_white(opened)
        # From here on the picture is small, as each further step makes a copy.
        picture.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
        picture = _in_srgb(picture if turn is None else picture.transpose(turn), profile)
    except _BROKEN:
        raise invalid("file", "broken-file") from None
    large, small = _fitted(picture, LARGE), _fitted(picture, SMALL)
    return Photo(_encoded(large), _encoded(small), *large.size)


def _on_white(opened: Image.Image) -> Image.Image:
    """Return a picture on a white background, as RGB (CMYK stays CMYK). It is converted in strips, so that
    memory never holds more than two copies."""
    mode = "CMYK" if opened.mode == "CMYK" else "RGB"
    whole = Image.new(mode, opened.size)
    for top in range(0, opened.height, _STRIP):
        box = (0, top, opened.width, min(top + _STRIP, opened.height))
        strip = opened.crop(box)
        if strip.mode in {"RGBA", "LA", "PA"} or "transparency" in strip.info:
            clear = strip.convert("RGBA")
            strip = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
        whole.paste(strip.convert(mode), box)
    return whole


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture as RGB, its colours converted from its own colour profile to sRGB."""
    if profile:
        try:
            source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError):
            pass  # the profile is unreadable: the colours are taken as they are
    return picture.convert("RGB")


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    fitted = picture.copy()
    fitted.thumbnail((side, side), Image.Resampling.LANCZOS)
    return fitted


def _encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()
