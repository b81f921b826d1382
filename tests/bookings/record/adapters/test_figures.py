"""Workbooks, read by the library with which others read them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import openpyxl

from bookings.record.adapters.figures import write_workbook


def test_cells_have_the_types_of_what_they_say():
    at = datetime(2026, 3, 2, 2, 0, 0, 7, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    cells = {
        "amount": Decimal("1234.50"),
        "yen": Decimal("1200"),
        "minutes": 90,
        "is_paid": True,
        "day": date(2026, 3, 2),
        "start": at,
        "code": "007",
        "number": "1e5",
        "formula": "=1+1",
        "link": '=HYPERLINK("http://x.example")',
        "nothing": None,
    }
    stream = BytesIO()
    write_workbook(stream, list(cells), [list(cells.values())], [("state", "=2+2")])
    book = openpyxl.load_workbook(stream)
    heads, row = book["figures"].iter_rows()
    found = {head.value: cell for head, cell in zip(heads, row, strict=True)}
    kinds = {name: (cell.value, cell.data_type, cell.number_format) for name, cell in found.items()}
    assert kinds["amount"] == (1234.5, "n", "#,##0.00")
    assert kinds["yen"] == (1200, "n", "#,##0")
    assert kinds["minutes"] == (90, "n", "General")
    assert kinds["is_paid"] == (True, "b", "General")
    assert kinds["day"] == (datetime(2026, 3, 2), "d", "yyyy-mm-dd")
    assert kinds["start"][:2] == (datetime(2026, 3, 2, 10), "d")
    assert "h:mm" in kinds["start"][2]
    assert [kinds[name][:2] for name in ("code", "number")] == [("007", "s"), ("1e5", "s")]
    assert found["nothing"].value is None
    texts = [found["formula"], found["link"], *book["filters"][1]]
    assert {cell.data_type for cell in texts} == {"s"}
    assert all("=" not in cell.value[:1] for cell in texts)
