"""What lists have in common: only what waits for the reader, and the whole list as a file."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.http import HttpRequest, StreamingHttpResponse

from bookings.record.adapters.figures import Cell, csv_pieces
from bookings.record.domain.money import format_amount


def waits_of(request: HttpRequest, *allowed: str) -> str:
    """Which of what waits the list is narrowed to (overview/selectors/money); empty: it is not."""
    asked = request.GET.get("waits", "")
    return asked if asked in allowed else ""


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def csv_answer(
    request: HttpRequest, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> StreamingHttpResponse:
    """All rows of a list as it is narrowed, row by row as they are read; behind them what was
    asked for. No cell of text begins like a formula."""
    notes = [
        (key, str(value))
        for key, value in request.GET.items()
        if value and key not in ("format", "page", "after")
    ]
    pieces = csv_pieces(heads, rows, notes)
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def amount_cell(amount: Decimal, currency: str) -> Decimal:
    """A number with the decimals of its currency."""
    return Decimal(format_amount(amount, currency))
