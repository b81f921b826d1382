"""Photos and documents for tests."""

import io
from typing import Any

from PIL import Image

from accounts.domain.roles import By
from instruments.attachments.models import Attachment
from instruments.attachments.services.attachments import attachment_add
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def picture(width: int = 300, height: int = 200, kind: str = "JPEG", **options: Any) -> bytes:
    """A file with a picture; `mode` and `colour` as Pillow has them."""
    mode, colour = options.pop("mode", "RGB"), options.pop("colour", "#336699")
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, kind, **options)
    return out.getvalue()


def photo(cast: Cast, instrument: Instrument, **values: Any) -> Attachment:
    """One that the manager of USTC has put there."""
    return attachment_add(
        By(cast.actor("zhao"), NOW),
        instrument_id=instrument.pk,
        content=values.pop("content", None) or picture(),
        **{"title": "The column"} | values,
    )
