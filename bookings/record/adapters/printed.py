"""Parts that all printed pages share: A4, the embedded font, a title with facts beside it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from django.utils import translation
from django.utils.translation import gettext
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from accounts.letters.words import dated, is_chinese
from bookings.record.adapters.typeface import FONT
from bookings.record.domain.money import format_amount, minor_digits

INK, SOFT, LINE, ACCENT = (colors.HexColor(c) for c in ("#1b2430", "#53606f", "#c9d0d8", "#085457"))
WIDTH = A4[0] - 36 * mm
PADDING = 6  # padding of the frame that the library puts within the margins


def style(size: float = 8.5, **values: Any) -> ParagraphStyle:
    given: dict[str, Any] = {
        "fontName": FONT,
        "fontSize": size,
        "leading": size * 1.35,
        "textColor": INK,
        "wordWrap": "CJK" if is_chinese() else None,
    }
    return ParagraphStyle(f"paper-{size}", **(given | values))


def text(content: object, size: float = 8.5, **values: Any) -> Paragraph:
    return Paragraph(escape(str(content)).replace("\n", "<br/>"), style(size, **values))


def right(content: object, size: float = 8.5, **values: Any) -> Paragraph:
    return text(content, size, alignment=TA_RIGHT, **values)


def head(content: object) -> Paragraph:
    return text(content, 7.5, textColor=SOFT)


def head_right(content: object) -> Paragraph:
    return right(content, 7.5, textColor=SOFT)


def money(amount: Decimal, currency: str) -> str:
    return f"{Decimal(format_amount(amount, currency)):,.{minor_digits(currency)}f}"


def day(value: date | datetime) -> str:
    return dated(value, "j F Y", "Y年n月j日")


class _Numbered(Canvas):  # type: ignore[misc]
    """A canvas that writes the foot of every page at the end, when the number of pages is known."""

    foot = stamp = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        total = len(self._pages)
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont(FONT, 7.5)
            self.setFillColor(SOFT)
            self.drawString(18 * mm, 11 * mm, self.foot)
            of = gettext("Page {number} of {total}").format(number=number, total=total)
            self.drawRightString(A4[0] - 18 * mm, 11 * mm, of)
            if self.stamp:
                self._write_across()
            super().showPage()
        super().save()

    def _write_across(self) -> None:
        """Draw the stamp from corner to corner, so light that the text below it stays readable."""
        self.saveState()
        self.setFillColor(colors.HexColor("#8c1d18"), alpha=0.16)
        self.setFont(FONT, 120)
        self.translate(A4[0] / 2, A4[1] / 2)
        self.rotate(50)
        self.drawCentredString(0, -40, self.stamp)
        self.restoreState()


def build(title: str, foot: str, author: str, story: list[Any], stamp: str = "") -> bytes:
    """Return a document as PDF; the `stamp`, if any, is drawn across each page."""
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm - PADDING,
        rightMargin=18 * mm - PADDING,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        title=title,
        author=author,
        lang=translation.get_language() or "en",
    )
    document.build(story, canvasmaker=type("Pages", (_Numbered,), {"foot": foot, "stamp": stamp}))
    return out.getvalue()


def top(title: str, subtitle: str, facts: Sequence[tuple[str, str]], note: str = "") -> list[Any]:
    beside = Table(
        # Wide enough for the longest numbers.
        [[head(a), right(b, 8.5 if len(b) <= 28 else 6.2)] for a, b in facts],
        colWidths=[22 * mm, 60 * mm],
        style=[("TOPPADDING", (0, 0), (-1, -1), 0.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5)],
    )
    both = Table(
        [[[text(title, 18, textColor=ACCENT), text(subtitle, 10, textColor=SOFT)], beside]],
        colWidths=[WIDTH - 84 * mm, 84 * mm],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)],
    )
    # Not in the table, whose rows cannot be broken over pages: people write this text, in any number of
    # lines.
    below = [text(note, 10, textColor=colors.HexColor("#8c1d18"))] if note else []
    return [both, *below, Spacer(1, 6 * mm)]


GRID = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, ACCENT),
    ("LINEBELOW", (0, 1), (-1, -1), 0.25, LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
]
