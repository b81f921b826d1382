"""What of a statement's payments can be taken back by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.settlement.domain.statements import require_kept

D = Decimal
part = st.decimals(D(0), D(1000), places=2)


@given(part, part, part, st.decimals(D(-3000), D(3000), places=2), st.sampled_from([1, -1]))
def test_only_what_was_entered_by_hand_can_be_taken_back_by_hand(by_bank, credit, by_hand, amount, sign):
    if sign < 0:
        credit = D(0)  # a credit is never paid out of credit
    paid = (by_bank + credit + by_hand) * sign
    taken = -amount * sign
    if not paid:
        return
    try:
        require_kept(paid, amount, "CNY", by_bank=by_bank * sign, out_of_credit=credit)
    except Invalid as refused:
        assert taken > by_hand
        code = "paid-by-bank" if by_bank else "paid-out-of-credit"
        assert refused.problems[0].code == code
    else:
        assert taken <= by_hand or taken <= 0


@pytest.mark.parametrize(
    ("by_bank", "credit", "code"), [(100, 0, "paid-by-bank"), (0, 100, "paid-out-of-credit")]
)
def test_the_refusal_says_where_it_is_taken_back(by_bank, credit, code):
    with pytest.raises(Invalid) as refused:
        require_kept(D(130), D(-31), "CNY", by_bank=D(by_bank), out_of_credit=D(credit))
    assert (refused.value.problems[0].code, refused.value.problems[0].numbers["most"]) == (code, "30.00")
