"""What pays for a booking by default: one's own before what was given, each as a whole."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bookings.funding.domain.defaults import NO_DEFAULT, Default, chosen
from bookings.funding.domain.funding import Share

A, B, C = (Share(code, Decimal(100)) for code in "ABC")
HALVES = (Share("A", Decimal(50)), Share("B", Decimal(50)))


def test_one_s_own_wins():
    assert chosen([A], [B], {"A", "B"}) == Default((A,), True)
    assert chosen([], [B], {"A", "B"}) == Default((B,), False)
    assert chosen([], [], {"A"}) == NO_DEFAULT


def test_what_can_pay_no_longer_falls_back_and_is_named():
    assert chosen([A], [B], {"B"}) == Default((B,), False, ("A",))
    assert chosen([A], [B], {"C"}) == Default((), False, ("A", "B"))
    assert chosen([A], [A], set()) == Default((), False, ("A",))


def test_several_sources_count_as_a_whole():
    assert chosen(HALVES, [C], {"A", "C"}) == Default((C,), False, ("B",))
    assert chosen(HALVES, [C], {"A", "B", "C"}) == Default(HALVES, True)


codes = st.lists(st.sampled_from("ABCDE"), unique=True, max_size=4)


@given(codes, codes, st.sets(st.sampled_from("ABCDE")))
def test_only_usable_sources_pay_and_the_first_whole_default_does(own, given_to, usable):
    shares = [[Share(code, Decimal(1)) for code in each] for each in (own, given_to)]
    found = chosen(*shares, usable)
    assert {share.source for share in found.shares} <= usable
    assert set(found.lapsed).isdisjoint(usable)
    whole = [each for each in (own, given_to) if each and set(each) <= usable]
    assert [share.source for share in found.shares] == (whole[0] if whole else [])
    assert found.is_own == bool(own and whole and whole[0] is own)
    if found.is_own:
        assert not found.lapsed
