"""Photos, re-encoded by Pillow: nothing of the file that was sent is kept but what is seen."""

import io
import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms, ImageOps

from accounts.domain.errors import invalid
from instruments.domain.attachments import LARGE, SMALL, check_size

MEDIA_TYPE = "image/webp"
# What readers of broken or hostile files raise.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
_FORMATS = ("JPEG", "PNG", "WEBP")
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class Photo:
    """Two sizes of it, as WebP, and the pixels of the larger."""

    large: bytes
    small: bytes
    width: int
    height: int


def photo_of(content: bytes) -> Photo:
    """Upright, in sRGB, at most `LARGE` pixels long, without metadata: no place where it was
    taken, no name of the camera's owner. `Invalid` for what is no picture or too large."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            check_size(*opened.size)  # nothing is unpacked yet
            opened.draft("RGB", (LARGE, LARGE))
            picture = _in_srgb(ImageOps.exif_transpose(opened))
    except _BROKEN:
        raise invalid("file", "broken-file") from None
    large, small = _fitted(picture, LARGE), _fitted(picture, SMALL)
    return Photo(_encoded(large), _encoded(small), *large.size)


def _in_srgb(picture: Image.Image) -> Image.Image:
    """RGB on white, with colours as its profile means them."""
    profile = picture.info.get("icc_profile")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        ground = Image.new("RGBA", clear.size, "white")
        picture = Image.alpha_composite(ground, clear).convert("RGB")
    if picture.mode not in {"RGB", "CMYK"}:
        picture = picture.convert("RGB")
    if profile:
        try:
            source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile nobody can read: the colours are taken as they are
    return picture.convert("RGB")


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    fitted = picture.copy()
    fitted.thumbnail((side, side), Image.Resampling.LANCZOS)
    return fitted


def _encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()
