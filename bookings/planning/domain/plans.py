"""Rules for planned purchases: how far ahead they can be entered, and what can still be done with them."""

from datetime import date

from accounts.domain.errors import FieldProblem, WrongState

YEARS_AHEAD = 3
MOST_PLANS = 200  # plans of an organisation at a time
MOST_HOURS = 8784  # hours of a leap year

PLANNED, DROPPED, BECAME_CASE = "planned", "dropped", "became_case"


def problems_of_time(year: int, quarter: int | None, today: date) -> list[FieldProblem]:
    """Return what is wrong with the time of a planned purchase: a quarter that is over (`plan-past`), or a
    year more than three ahead (`plan-too-far`). Without a quarter, the whole year counts."""
    if year > today.year + YEARS_AHEAD:
        return [FieldProblem("year", "plan-too-far", {"last": today.year + YEARS_AHEAD})]
    if year < today.year:
        return [FieldProblem("year", "plan-past")]
    if year == today.year and quarter is not None and quarter < (today.month + 2) // 3:
        return [FieldProblem("quarter", "plan-past")]
    return []


def require_planned(state: str) -> None:
    """Raise `WrongState` (`plan-over`) for a purchase that was dropped or became a case."""
    if state != PLANNED:
        raise WrongState("plan-over", state=state)
