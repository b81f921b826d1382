"""Labels as PDF: how many pages, what is on them, and that nothing of a warning is lost."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.pdfmetrics import stringWidth

from bookings.record.adapters.labels import ROLL, SHEET, Label, _lines, label_sheet
from bookings.record.adapters.typeface import FONT, font_register

EVERY = (
    "危险性：爆炸物、易燃、氧化性、加压气体、腐蚀性、急性毒性、刺激性或有害、严重健康危害、"
    "危害环境、生物危害、放射性、强磁性、低温、松散粉末或纳米材料"
)


def label(title="Film", **values):
    given = {"lines": ["Fudan University", "Microscope", "2026-03-06 10:00"]} | values
    return Label("https://commons.example/samples/ABCDEFGH/", "ABCD-EFGH", title, **given)


def pages_of(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


@pytest.mark.parametrize(
    ("layout", "labels", "start", "pages"),
    [(SHEET, 24, 1, 1), (SHEET, 25, 1, 2), (SHEET, 1, 24, 1), (SHEET, 2, 24, 2), (ROLL, 3, 1, 3)],
)
def test_as_many_pages_as_it_takes(layout, labels, start, pages):
    pdf = label_sheet([label()] * labels, layout, start=start, title="Labels")
    assert pages_of(pdf) == pages


@given(st.text(max_size=300), st.floats(20, 200), st.integers(1, 4))
def test_lines_are_never_wider_or_more_than_said(text, room, most):
    font_register()
    lines = _lines(text, 6.5, room, most)
    assert len(lines) <= most
    assert all(stringWidth(line, FONT, 6.5) <= room or len(line) <= 2 for line in lines)


@given(st.text("ab 、。危险性", max_size=80))
def test_without_a_limit_nothing_is_lost(text):
    font_register()
    assert "".join("".join(_lines(text, 6.5, 40)).split()) == "".join(text.split())


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not there")
@pytest.mark.parametrize("layout", [SHEET, ROLL])
def test_all_hazards_are_on_it_whatever_else_it_says(layout, tmp_path):
    lines = ["很长的名称" * 9] * 4
    long = label("焊点芯片，第三批退火样品，编号已刻在背面" * 3, warning=EVERY, lines=lines)
    path = tmp_path / "labels.pdf"
    path.write_bytes(label_sheet([long], layout, title="Labels"))
    text = subprocess.run(
        ["pdftotext", "-raw", str(path), "-"], check=True, capture_output=True, text=True
    ).stdout
    assert EVERY in "".join(text.split())
