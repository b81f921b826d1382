"""What claims in two directions come to."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bookings.settlement.domain.postings import Claim, nets

REGIONS = st.sampled_from(["CN-AH", "CN-SH", "GB-SCT"])
CLAIMS = st.builds(
    Claim,
    currency=st.sampled_from(["CNY", "GBP"]),
    payer=REGIONS,
    host=REGIONS,
    amount=st.decimals(-1000, 1000, places=2),
).filter(lambda claim: claim.payer != claim.host)


def test_the_first_owes_what_is_above_zero():
    there, back = Claim("CNY", "CN-AH", "CN-SH", Decimal(80)), Claim("CNY", "CN-SH", "CN-AH", Decimal(30))
    (one,) = nets([back, there])
    assert (one.first, one.second, one.amount) == ("CN-AH", "CN-SH", Decimal(50))
    assert nets([back])[0].amount == Decimal(-30)
    assert nets([]) == []


@given(st.lists(CLAIMS))
def test_every_claim_is_in_one_pair_and_signs_turn_with_the_direction(claims):
    found = nets(claims)
    assert sorted(map(repr, claims)) == sorted(repr(claim) for one in found for claim in one.claims)
    turned = nets(Claim(one.currency, one.host, one.payer, one.amount) for one in claims)
    assert [one.amount for one in turned] == [-one.amount for one in found]
