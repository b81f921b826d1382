"""The rule of removing no-shows: while the mark counts and its charge can still be disputed but is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import WrongState
from bookings.charging.domain.no_shows import require_chargeable, require_strikable

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
CHARGES = [None, "open", "disputed", "final", "reversed"]


@given(
    state=st.sampled_from(["no_show", "completed", "confirmed", "cancelled"]),
    struck=st.sampled_from(["", "was_there", "other"]),
    charge=st.sampled_from(CHARGES),
    minutes=st.none() | st.integers(-10_000, 10_000),
    ago=st.integers(0, 20_000),
    drawn=st.booleans(),
)
def test_only_an_open_charge_or_none_lets_it_be_removed(state, struck, charge, minutes, ago, drawn):
    until = None if minutes is None else NOW + timedelta(minutes=minutes)
    facts = {
        "state": state, "struck": struck, "charge": charge, "open_until": until,
        "settled_at": NOW - timedelta(minutes=ago), "is_on_statement": drawn, "now": NOW,
    }  # fmt: skip
    is_early = charge is None and ago < 7 * 24 * 60
    is_free = is_early or (charge == "open" and not drawn and until is not None and until > NOW)
    if state == "no_show" and not struck and is_free:
        require_strikable(**facts)
    else:
        with pytest.raises(WrongState):
            require_strikable(**facts)


@given(*[st.booleans()] * 3)
def test_use_is_refused_only_where_a_second_person_took_its_charge_back(usage, charged, in_force):
    facts = {"has_usage": usage, "was_charged": charged, "is_in_force": in_force}
    if usage and charged and not in_force:
        with pytest.raises(WrongState):
            require_chargeable(**facts)
    else:
        require_chargeable(**facts)
