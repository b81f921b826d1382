"""Hold closed months of journals against their digests."""

from bookings.journal.domain.closing import Digest
from bookings.journal.models import JournalMonth
from bookings.journal.selectors.journal import OF_ENTRY, OF_LINE, READ_AT_ONCE

# What is kept of a line, in the order of its digest.
KEPT = ("number", "position", "date", "document_date", *OF_ENTRY, *OF_LINE)


def kept_digest(row: JournalMonth) -> str:
    """Return the digest of the lines that are stored of a closed month. One statement for each thousand
    entries."""
    digest = Digest()
    for before in range(0, row.entries, READ_AT_ONCE):
        lines = row.lines.filter(number__gt=before, number__lte=before + READ_AT_ONCE)
        for cells in lines.order_by("number", "position").values_list(*KEPT):
            digest.add(cells)
    return digest.text


def months_astray() -> list[JournalMonth]:
    """Return the closed months whose lines do not have the digest with which they were closed."""
    rows = JournalMonth.objects.select_related("organisation").order_by("organisation__code", "side", "month")
    return [row for row in rows if kept_digest(row) != row.digest]
