"""The typeface of all PDFs: it covers Chinese, and is embedded in the file."""

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT = "WenQuanYi Micro Hei"


@cache
def font_register() -> None:
    """Register the font, once for the process."""
    pdfmetrics.registerFont(TTFont(FONT, Path(__file__).parent / "fonts" / "wqy-microhei.ttf"))
