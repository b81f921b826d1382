"""Labels with a QR code as PDF: sheets of them, or a roll, one a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from bookings.record.adapters.typeface import FONT, font_register

PADDING = 3.5 * mm  # most printers leave the edge of a sheet white
LEADING = 1.25
# Chinese and its punctuation may be parted anywhere, other scripts between words.
_PIECES = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\uffef]+")


@dataclass(frozen=True)
class Label:
    """What a label says. link: what the QR code opens; code: below it, as people read it; lines:
    what stands below the title; warning: in a frame at the foot."""

    link: str
    code: str
    title: str
    lines: Sequence[str] = ()
    warning: str = ""


@dataclass(frozen=True)
class Layout:
    """A page of labels, in millimetres, without gaps between them."""

    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1

    @property
    def of_page(self) -> int:
        return self.columns * self.rows


SHEET = Layout(page=(210, 297), label=(70, 37), columns=3, rows=8)
ROLL = Layout(page=(62, 37), label=(62, 37))
LAYOUTS = {"sheet": SHEET, "roll": ROLL}


def label_sheet(labels: Sequence[Label], layout: Layout, *, start: int = 1, title: str) -> bytes:
    """The labels as a PDF of that title. `start`: the place of the first on a sheet that was begun,
    from 1, along the lines."""
    font_register()
    out = BytesIO()
    page_width, page_height = (side * mm for side in layout.page)
    width, height = (side * mm for side in layout.label)
    left = (page_width - layout.columns * width) / 2
    top = (page_height - layout.rows * height) / 2
    canvas = Canvas(out, pagesize=(page_width, page_height))
    canvas.setTitle(title)
    for place, label in enumerate(labels, start=start - 1):
        place_on_page = place % layout.of_page
        if not place_on_page and place >= start:
            canvas.showPage()
        row, column = divmod(place_on_page, layout.columns)
        canvas.saveState()
        canvas.translate(left + column * width, page_height - top - (row + 1) * height)
        _draw(canvas, label, width, height)
        canvas.restoreState()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, label: Label, width: float, height: float) -> None:
    """One label: the code on the left, what it is on the right."""
    inner = height - 2 * PADDING
    side = min(inner - 5 * mm, 0.4 * width)
    _qr(canvas, label.link, PADDING, height - PADDING - side, side)
    size = _fitting(label.code, 10, side)
    canvas.setFont(FONT, size)
    canvas.drawCentredString(PADDING + side / 2, height - PADDING - side - size - 1, label.code)
    x, room = PADDING + side + 2.5 * mm, width - 2 * PADDING - side - 2.5 * mm
    foot = PADDING
    if label.warning:
        lines = _lines(label.warning, 6.5, room - 2 * mm, 3)
        foot += len(lines) * 6.5 * LEADING + 1.5 * mm
        canvas.rect(x, PADDING, room, foot - PADDING)
        _write(canvas, lines, 6.5, x + mm, foot - 0.75 * mm)
        foot += mm
    y = _write(canvas, _lines(label.title, 8.5, room, 2), 8.5, x, height - PADDING)
    for number, text in enumerate(label.lines):
        left = int((y - foot) / (6.5 * LEADING)) - (len(label.lines) - number - 1)
        if left < 1:
            break
        y = _write(canvas, _lines(text, 6.5, room, min(left, 2)), 6.5, x, y)


def _qr(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """A QR code that fills a square to its quiet zone."""
    widget = QrCodeWidget(text, barLevel="M", barBorder=0)
    left, bottom, right, top = widget.getBounds()
    drawing = Drawing(
        side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0]
    )
    drawing.add(widget)
    renderPDF.draw(drawing, canvas, x, y)


def _fitting(text: str, size: float, room: float) -> float:
    """The size at which a text fits a width, no larger than one."""
    return min(size, size * room / stringWidth(text, FONT, size))


def _write(canvas: Canvas, lines: Sequence[str], size: float, x: float, top: float) -> float:
    """Write lines from a height downwards; where they end."""
    canvas.setFont(FONT, size)
    for line in lines:
        top -= size * LEADING
        canvas.drawString(x, top + size * (LEADING - 1), line)
    return top


def _lines(text: str, size: float, room: float, most: int) -> list[str]:
    """A text in lines of a width, at most so many: what is left over ends in an ellipsis."""
    lines, at = [""], 0
    for piece in _PIECES.finditer(text):
        space = " " if piece.start() > at and lines[-1] else ""
        at = piece.end()
        if stringWidth(lines[-1] + space + piece[0], FONT, size) <= room:
            lines[-1] += space + piece[0]
            continue
        if lines[-1]:
            lines.append("")
        for one in piece[0]:  # a word longer than a line is parted
            if stringWidth(lines[-1] + one, FONT, size) > room:
                lines.append("")
            lines[-1] += one
    if len(lines) > most:
        lines, last = lines[:most], lines[most - 1]
        while last and stringWidth(last + "…", FONT, size) > room:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return lines
