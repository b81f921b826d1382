"""Labels with a QR code as PDF: on sheets, or on a roll with one label a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from bookings.record.adapters.typeface import FONT, font_register

# Most printers leave a margin of the sheet white, wider at the sides than above and below.
EDGE, MARGIN = 4.5 * mm, 3.5 * mm
LEADING = 1.25
QUIET = 4  # modules of white that readers need around a code
SIZES = (6.5, 6, 5.5, 5, 4.5, 4)  # sizes of small print, in points; a long warning needs a smaller one
# Chinese may be broken anywhere except before punctuation, other scripts between words.
_PIECES = re.compile(
    r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef][、。，；：！？）]*|[^\s\u2e80-\u9fff\uf900-\uffef]+"
)


@dataclass(frozen=True)
class Label:
    """A label to print. link: what the QR code opens; code: printed below it for people; lines: below the
    title; warning: in a frame at the foot; `foot`: lines of small print at the foot, without a frame."""

    link: str
    code: str
    title: str
    lines: Sequence[str] = ()
    warning: str = ""
    foot: Sequence[str] = ()


@dataclass(frozen=True)
class Layout:
    """A page of labels, in millimetres, without gaps between the labels."""

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
    """Return the labels as a PDF with a title. `start`: the position of the first label on a partly used
    sheet, counted from 1 row by row."""
    font_register()
    page_width, page_height = (side * mm for side in layout.page)
    width, height = (side * mm for side in layout.label)
    left = (page_width - layout.columns * width) / 2
    top = (page_height - layout.rows * height) / 2
    canvas = Canvas(BytesIO(), pagesize=(page_width, page_height))
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
    content: bytes = canvas.getpdfdata()
    return content


def _draw(canvas: Canvas, label: Label, width: float, height: float) -> None:
    """Draw one label: the code on the left, the texts on the right. The warning is always complete: a long
    one is printed smaller, and the lines above it make room."""
    top, inner = height - MARGIN, height - 2 * MARGIN
    side = min(inner - 5 * mm, 0.32 * width)
    _qr(canvas, label.link, EDGE, top - side, side)
    size = _fitting(label.code, 10, side)
    canvas.setFont(FONT, size)
    canvas.drawCentredString(EDGE + side / 2, top - side - size - 1, label.code)
    x = EDGE + side + 2.5 * mm
    room, foot = width - EDGE - x, MARGIN
    if label.warning:
        for size in SIZES:
            lines = _lines(label.warning, size, room - 2 * mm)
            tall = len(lines) * size * LEADING + 1.5 * mm
            if tall <= 0.45 * inner:
                break
        canvas.rect(x, MARGIN, room, tall)
        _write(canvas, lines, size, x + mm, MARGIN + tall - 0.75 * mm)
        foot += tall + mm
    for text in reversed(label.foot):
        foot += SIZES[0] * LEADING
        _write(canvas, [text], _fitting(text, SIZES[0], room), x, foot)
    y = _write(canvas, _lines(label.title, 8.5, room, 2), 8.5, x, top)
    size = SIZES[0]
    left = int((y - foot) / (size * LEADING)) - len(label.lines)
    for number, text in enumerate(label.lines):
        if number - len(label.lines) >= left:  # no room for this one and those after it
            break
        lines = _lines(text, size, room, 1 + max(0, min(left, 1)))
        left -= len(lines) - 1
        y = _write(canvas, lines, size, x, y)


def _qr(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """Draw a QR code of a text that fills a square up to its quiet zone."""
    widget = QrCodeWidget(text, barLevel="M", barBorder=0)
    left, bottom, right, top = widget.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0])
    drawing.add(widget)
    renderPDF.draw(drawing, canvas, x, y)


def qr_path(text: str) -> tuple[int, str]:
    """Return the QR code of a text for an SVG: the side in modules, with its quiet zone, and the path of the
    dark ones."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    dark = (
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y in range(code.getModuleCount())
        for x in range(code.getModuleCount())
        if code.isDark(y, x)
    )
    return code.getModuleCount() + 2 * QUIET, "".join(dark)


def _fitting(text: str, size: float, room: float) -> float:
    """Return the font size, at most `size`, at which a text fits a width."""
    return min(size, size * room / float(stringWidth(text, FONT, size)))


def _write(canvas: Canvas, lines: Sequence[str], size: float, x: float, top: float) -> float:
    """Write lines from a height downwards; return the height below the last."""
    canvas.setFont(FONT, size)
    for line in lines:
        top -= size * LEADING
        canvas.drawString(x, top + size * (LEADING - 1), line)
    return top


def _lines(text: str, size: float, room: float, most: int = 0) -> list[str]:
    """Break a text into at most `most` lines of a width; if it is cut off, the last line ends in an
    ellipsis."""
    lines, at = [""], 0
    for piece in _PIECES.finditer(text):
        space = " " if piece.start() > at and lines[-1] else ""
        at = piece.end()
        if stringWidth(lines[-1] + space + piece[0], FONT, size) <= room:
            lines[-1] += space + piece[0]
            continue
        if lines[-1]:
            lines.append("")
        for one in piece[0]:  # a word longer than a line is broken
            if stringWidth(lines[-1] + one, FONT, size) > room:
                lines.append("")
            lines[-1] += one
    if most and len(lines) > most:
        lines, last = lines[:most], lines[most - 1]
        while last and stringWidth(last + "…", FONT, size) > room:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return lines
