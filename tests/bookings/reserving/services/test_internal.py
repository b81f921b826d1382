"""A host's own people on its own instruments: payer and host are one legal person."""

from datetime import timedelta
from decimal import Decimal

from accounts.domain.roles import By
from bookings.charging.selectors.replay import replay_all
from bookings.charging.services.charges import charge_make
from bookings.models import Quote
from bookings.pricing.domain.charges import Ending
from bookings.pricing.domain.fees import quote
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.domain.what_if import Past, reprice
from bookings.pricing.selectors.charges import load_quoted
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.cast import NOW, reserve

EARLIER = NOW - timedelta(minutes=11)  # second thoughts are over


def test_no_tax_is_quoted_or_charged_within_one_legal_person(cast):
    """The card frozen with the quote says so; for others its tax stays. What was quoted before with
    tax comes out as it was."""
    own = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", now=EARLIER)
    other = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", now=EARLIER)
    made = {row.reservation_id: row for row in Quote.objects.all()}
    mine, theirs = made[own.pk], made[other.pk]
    assert (own.price_group, mine.result["tax"], mine.result["subtotal"]) == (
        "internal", "0.00", mine.result["total"],
    )  # fmt: skip
    assert mine.inputs["card"]["tax_percent"] == "0"
    assert theirs.inputs["card"]["tax_percent"] == "6" and Decimal(theirs.result["tax"]) > 0
    before = mine.inputs | {"card": mine.inputs["card"] | {"tax_percent": "6"}}
    assert quote(input_from_json(before)).tax > 0  # by the same rule, from its own inputs
    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=own.pk, reason="x")
    charge = charge_make(reservation_id=own.pk, now=NOW)
    assert charge.total > 0 and charge.tax == 0
    assert [row for row in replay_all() if row.differences] == []


def test_what_if_keeps_it_so(cast):
    own = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", now=EARLIER)
    inputs = Quote.objects.get().inputs
    quoted = load_quoted(own.pk)
    usage = (quoted.start, quoted.end)
    card = input_from_json(inputs | {"card": inputs["card"] | {"tax_percent": "6"}}).card

    def priced(of: dict) -> Decimal:
        ending = Ending("completed", quoted.end, True, False, usage=usage)
        past = Past(own.organisation_id, of, "CNY", Decimal(0), usage, ending, is_of_use=True)
        return reprice(past, card)

    total = quote(quoted).total
    assert priced(inputs) == total
    taxed = inputs | {"card": inputs["card"] | {"tax_percent": "6"}}
    assert priced(taxed) == total + (total * 6 / 100).quantize(Decimal("0.01"))
