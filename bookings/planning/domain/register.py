"""The public register of decisions: what is told of a case, and nothing from which its applicant
could be known."""

from decimal import Decimal

BANDS = tuple(
    Decimal(n) for n in (500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000)
)


def band_of(price: Decimal) -> tuple[Decimal, Decimal | None]:
    """Return the band that a price lies in: from, and up to (below) what; None without an end."""
    least = Decimal(0)
    for most in BANDS:
        if price < most:
            return least, most
        least = most
    return least, None
