"""Codes of samples, and the table of their steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, WrongState
from bookings.samples.domain import samples

bodies = st.text(samples.ALPHABET, min_size=samples.LENGTH - 1, max_size=samples.LENGTH - 1)
codes = bodies.map(lambda body: body + samples.check_character(body))


def test_new_codes_are_read_back_as_they_are_written():
    for _ in range(200):
        code = samples.new_code()
        assert samples.code_in(code) == code == samples.code_in(samples.code_text(code).lower())
        assert samples.code_in(f"https://commons.example/samples/{code}/") == code


@given(codes, st.integers(0, samples.LENGTH - 1), st.sampled_from(samples.ALPHABET))
def test_one_wrong_character_is_told(code, place, other):
    wrong = code[:place] + other + code[place + 1 :]
    if wrong == code:
        assert samples.code_in(wrong) == code
    else:
        with pytest.raises(Invalid):
            samples.code_in(wrong)


@given(codes, st.integers(0, samples.LENGTH - 1), st.integers(0, samples.LENGTH - 1))
def test_two_swapped_characters_are_told(code, one, other):
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    wrong = "".join(swapped)
    if wrong == code:
        assert samples.code_in(wrong) == code
    else:
        with pytest.raises(Invalid):
            samples.code_in(wrong)


@pytest.mark.parametrize("text", ["", "ABC", "ABCD-EFG", "ABCDEFGHJ", "0BCD-EFGH", "样品样品样品样品", "\0"])
def test_what_is_no_code_is_said_to_be_none(text):
    with pytest.raises(Invalid) as refused:
        samples.code_in(text)
    assert refused.value.problems[0].code in {"not-a-sample-code", "mistyped-code"}


def test_no_letter_looks_like_another():
    assert len(samples.ALPHABET) == len(set(samples.ALPHABET)) == 31
    assert not set("01IOU") & set(samples.ALPHABET)


def test_the_table_leads_to_every_state():
    assert {new for steps in samples.STEPS.values() for new in steps} == set(samples.STEPS)


@given(st.sampled_from(sorted(samples.STEPS)), st.sets(st.sampled_from([samples.OWNER, samples.HOST])))
def test_a_step_is_of_a_side_that_the_table_names(state, sides):
    allowed = samples.next_states(state, sides)
    assert set(allowed) == {new for new, whose in samples.STEPS[state].items() if whose & sides}
    for new in samples.STEPS:
        if new in allowed:
            samples.require_step("ABCDEFGH", state, new, sides)
        else:
            with pytest.raises(WrongState) as refused:
                samples.require_step("ABCDEFGH", state, new, sides)
            assert refused.value.numbers == {"sample": "ABCD-EFGH", "state": state, "wanted": new}


def test_nobody_of_neither_side_makes_a_step():
    assert [samples.next_states(state, ()) for state in samples.STEPS] == [[]] * len(samples.STEPS)


def test_only_the_host_receives_and_only_the_owner_ships():
    for state, steps in samples.STEPS.items():
        assert steps.get("received", {samples.HOST}) == {samples.HOST}
        if state not in {"lost", "received"}:
            assert steps.get("shipped", {samples.OWNER}) == {samples.OWNER}
