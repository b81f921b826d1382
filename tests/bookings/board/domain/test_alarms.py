"""Alarms: which instruments give cause, what becomes of them, and thresholds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from accounts.domain.errors import Invalid, WrongState
from bookings.board.domain import alarms as rules
from bookings.board.domain.alarms import Facts, alarms_of, limits_on, working_day_before

TODAY, LATE = date(2026, 11, 30), date(2026, 10, 16)
FIRST = {name: each.first for name, each in rules.PARAMETERS.items()}
WELL = Facts(
    "published",
    date(2020, 1, 1),
    date(2020, 1, 1),
    date(2020, 1, 1),
    True,
    True,
    60_000,
    12_000,
    84_000,
    3,
    2,
)


def kinds(**changes: object) -> set[str]:
    return alarms_of(replace(WELL, **changes), FIRST, today=TODAY, late=LATE)  # type: ignore[arg-type]


def test_what_is_used_and_shared_gives_no_cause() -> None:
    assert kinds() == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"was_used": False, "accepted_on": date(2026, 6, 3)}, {"not_in_service"}),
        ({"was_used": False, "accepted_on": date(2026, 6, 4)}, set()),
        ({"was_used": False, "accepted_on": None}, set()),
        # A facility joins with instruments that it has had for years.
        ({"was_used": False, "published_on": date(2026, 6, 3)}, {"not_in_service"}),
        ({"was_used": False, "published_on": date(2026, 6, 4)}, set()),
        ({"publication": "draft", "published_on": None, "accepted_on": LATE}, {"published_late"}),
        ({"publication": "draft", "published_on": None, "accepted_on": LATE + timedelta(1)}, set()),
        # A facility enters what it has had for years.
        ({"publication": "draft", "published_on": None, "entered_on": LATE}, {"published_late"}),
        ({"publication": "draft", "published_on": None, "entered_on": LATE + timedelta(1)}, set()),
        ({"publication": "suspended", "productive_minutes": 0, "open_days": 60}, set()),
        ({"publication": "retired", "was_used": False}, set()),
        ({"productive_minutes": 8_399, "external_minutes": 8_000}, {"idle"}),
        ({"productive_minutes": 8_400, "external_minutes": 8_000}, {"under_used"}),
        ({"productive_minutes": 41_999}, {"under_used"}),
        ({"productive_minutes": 42_000}, set()),
        ({"open_days": 60}, {"idle"}),
        ({"open_days": 59}, set()),
        ({"productive_minutes": 0, "external_minutes": 0, "is_whole_year": False}, set()),
        ({"external_minutes": 4_199}, {"not_shared"}),
        ({"external_minutes": 4_200}, set()),
        ({"external_minutes": 0, "asked": 0}, set()),
        ({"asked": 9}, set()),
        ({"open_days": 60, "asked": 3}, {"idle", "demand_idle"}),
        ({"productive_minutes": 30_000, "asked": 3}, {"under_used", "demand_idle"}),
    ],
)
def test_causes(changes: dict[str, object], expected: set[str]) -> None:
    assert kinds(**changes) == expected


def test_working_days_leave_out_weekends_and_holidays() -> None:
    """Monday 30 November 2026: one working day since Sunday, six since the Friday a week before."""
    assert working_day_before(TODAY, 1, ()) == date(2026, 11, 29)
    assert working_day_before(TODAY, 6, ()) == date(2026, 11, 22)
    assert working_day_before(TODAY, 6, [date(2026, 11, 25)]) == date(2026, 11, 19)


def test_the_latest_threshold_of_a_region_holds() -> None:
    here, there = UUID(int=1), UUID(int=2)
    entered = [
        (None, "idle_percent", date(2026, 11, 1), 20),
        (here, "idle_percent", date(2026, 1, 1), 15),
        (here, "idle_percent", date(2026, 2, 1), 12),
        (here, "idle_percent", date(2026, 12, 1), 30),
    ]
    assert limits_on(entered, here, TODAY)["idle_percent"] == 12
    assert limits_on(entered, there, TODAY)["idle_percent"] == 20
    assert limits_on(entered, here, date(2026, 12, 1))["idle_percent"] == 30
    assert limits_on([], here, TODAY) == FIRST


def test_it_rises_after_two_months_and_is_asked_anew_after_the_day_named() -> None:
    now = datetime(2026, 11, 30, 4, tzinfo=UTC)
    asked = {"limits": FIRST, "now": now, "today": TODAY}
    old, young = now - timedelta(days=61), now - timedelta(days=60)
    night = rules.state_tonight
    assert night("open", asked_at=old, due_date=None, **asked) == "risen"
    assert night("open", asked_at=young, due_date=None, **asked) == "open"
    assert night("answered", asked_at=old, due_date=TODAY, **asked) == "answered"
    assert night("answered", asked_at=old, due_date=TODAY - timedelta(1), **asked) == "open"
    assert night("risen", asked_at=old, due_date=None, **asked) == "risen"


def test_an_answer_names_a_day_within_a_year_and_words_for_another_reason() -> None:
    def answer(**values: object) -> None:
        given = {"reason": "repair", "note": "", "due_date": TODAY + timedelta(1), "today": TODAY}
        rules.check_answer(**given | values)  # type: ignore[arg-type]

    answer()
    answer(due_date=TODAY + timedelta(days=366))
    answer(reason="other", note="It waits for a permit.")
    for wrong in (
        {"due_date": TODAY},
        {"due_date": TODAY + timedelta(days=367)},
        {"reason": "other", "note": " "},
    ):
        with pytest.raises(Invalid):
            answer(**wrong)
    with pytest.raises(WrongState):
        rules.require_answerable("cleared")


def test_who_claims_full_is_contradicted_by_idle_hours() -> None:
    assert rules.contradicts("idle", "full")
    assert not rules.contradicts("idle", "repair")
    assert not rules.contradicts("not_shared", "full")


@pytest.mark.parametrize(
    ("parameter", "value", "valid_from"),
    [
        ("idle", 10, TODAY),
        ("idle_percent", 101, TODAY),
        ("publish_days", 0, TODAY),
        ("idle_percent", 10, TODAY - timedelta(1)),
    ],
)
def test_a_threshold_is_within_its_limits_and_not_in_the_past(
    parameter: str, value: int, valid_from: date
) -> None:
    with pytest.raises(Invalid):
        rules.check_threshold(parameter, value, valid_from, TODAY)
