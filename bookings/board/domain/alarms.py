"""Decide which instruments give cause for an alarm (idle, late or unshared), and in which state an alarm
is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from accounts.domain.errors import WrongState, invalid
from bookings.hours.domain.norms import norm_share

NOT_IN_SERVICE = "not_in_service"
PUBLISHED_LATE = "published_late"
IDLE = "idle"
UNDER_USED = "under_used"
NOT_SHARED = "not_shared"
DEMAND_IDLE = "demand_idle"

OPEN, ANSWERED, RISEN, CLEARED = "open", "answered", "risen", "cleared"
FULL, OTHER = "full", "other"  # reasons: the instrument is full; another one, which needs an explanation
LONGEST_WAIT = timedelta(days=366)  # until when an owner may say it is put right


@dataclass(frozen=True)
class Threshold:
    """A parameter of the rule: its default, which holds until somebody enters another value, and its
    limits."""

    first: int
    least: int
    most: int


PARAMETERS: Mapping[str, Threshold] = {
    "in_service_days": Threshold(180, 1, 3660),  # after acceptance, without a session
    "publish_days": Threshold(30, 1, 250),  # working days after acceptance
    "idle_percent": Threshold(10, 0, 100),  # of the norm hours of twelve months
    "idle_open_days": Threshold(60, 1, 365),  # without a session
    "under_used_percent": Threshold(50, 0, 100),
    "not_shared_percent": Threshold(7, 0, 100),  # of effective hours, by others
    "demand_number": Threshold(3, 1, 1000),
    "demand_days": Threshold(90, 1, 365),
    "answer_days": Threshold(61, 1, 365),  # then an alarm rises to the region
}
type Thresholds = Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """Facts about an instrument today. Minutes are of the last twelve whole months; `is_whole_year`: it was
    published throughout them. `open_days`: days without a session since the last one, counted up to the
    threshold. `asked`: how often others within reach requested its technique in vain."""

    publication: str
    accepted_on: date | None
    published_on: date | None
    entered_on: date
    was_used: bool
    is_whole_year: bool
    productive_minutes: int
    external_minutes: int
    norm_minutes: int
    open_days: int
    asked: int


def alarms_of(facts: Facts, limits: Thresholds, *, today: date, late: date) -> set[str]:
    """Return the kinds of alarm for which an instrument gives cause. `late` is the last day such that owners
    who had accepted and entered an instrument by then have had all the working days for publishing it
    (`working_day_before`).

    This is the definition, which only tests call: `_RAISE` of board/services/alarms computes the same in SQL,
    and a property test compares the two.
    """
    kinds = set()
    accepted, published = facts.accepted_on, facts.published_on
    in_service_by = today - timedelta(days=limits["in_service_days"])
    if (
        facts.publication != "retired"
        and not facts.was_used
        and accepted is not None
        # What it was used for before it was published here nobody can know.
        and max(accepted, published or accepted) <= in_service_by
    ):
        kinds.add(NOT_IN_SERVICE)
    is_prepared = facts.publication in {"draft", "submitted"} and published is None
    # Nor could one be published here that was not entered yet.
    if is_prepared and accepted is not None and max(accepted, facts.entered_on) <= late:
        kinds.add(PUBLISHED_LATE)
    if facts.publication != "published":
        return kinds
    is_idle = facts.open_days >= limits["idle_open_days"] or _is_below(facts, limits["idle_percent"])
    is_under_used = not is_idle and _is_below(facts, limits["under_used_percent"])
    if is_idle:
        kinds.add(IDLE)
    if is_under_used:
        kinds.add(UNDER_USED)
    is_kept = facts.external_minutes * 100 < limits["not_shared_percent"] * facts.productive_minutes
    if not is_idle and facts.is_whole_year and is_kept and facts.asked:
        kinds.add(NOT_SHARED)
    if (is_idle or is_under_used) and facts.asked >= limits["demand_number"]:
        kinds.add(DEMAND_IDLE)
    return kinds


def _is_below(facts: Facts, percent: int) -> bool:
    share = norm_share(facts.productive_minutes, facts.norm_minutes)
    return facts.is_whole_year and share is not None and share * 100 < percent


def limits_on(entered: Iterable[tuple[UUID | None, str, date, int]], region: UUID, today: date) -> Thresholds:
    """Return the thresholds in force in a region on a day. Each is the latest value entered for the region,
    otherwise for all regions, otherwise the default. `entered`: region or None for all, parameter, first day,
    value."""
    best: dict[str, tuple[bool, date, int]] = {}
    for of_region, parameter, valid_from, value in entered:
        if of_region in {None, region} and valid_from <= today:
            row = (of_region is not None, valid_from, value)
            best[parameter] = max(row, best.get(parameter, row))
    return {name: best[name][2] if name in best else each.first for name, each in PARAMETERS.items()}


def working_day_before(today: date, number: int, holidays: Iterable[date]) -> date:
    """Return the latest day after which `number` working days have passed, up to and including today."""
    closed, day = set(holidays), today
    while True:
        if day.weekday() < 5 and day not in closed:
            number -= 1
        day -= timedelta(days=1)
        if number <= 0:
            return day


def check_threshold(parameter: str, value: int, valid_from: date, today: date) -> None:
    """Raise `Invalid` unless the threshold may be entered: its value is within the limits and it begins today
    or later."""
    if parameter not in PARAMETERS:
        raise invalid("parameter", "unknown-choice", allowed=", ".join(PARAMETERS))
    limits = PARAMETERS[parameter]
    if not limits.least <= value <= limits.most:
        raise invalid("value", "out-of-range", least=limits.least, most=limits.most)
    if valid_from < today:
        raise invalid("valid_from", "in-the-past")


def require_answerable(state: str) -> None:
    """Raise `WrongState` if an alarm is over."""
    if state == CLEARED:
        raise WrongState("alarm-cleared")


def check_answer(*, reason: str, note: str, due_date: date, today: date) -> None:
    """Raise `Invalid` unless an answer gives a day within a year, and an explanation if its reason is
    `other`."""
    if not today < due_date <= today + LONGEST_WAIT:
        raise invalid("due_date", "alarm-due-date", days=LONGEST_WAIT.days)
    if reason == OTHER and not note.strip():
        raise invalid("note", "required")


def state_tonight(
    state: str, *, asked_at: datetime, due_date: date | None, limits: Thresholds, now: datetime, today: date
) -> str:
    """Return the new state of an alarm whose cause persists: if it stays unanswered for too long, it is
    escalated to the region; once the day named in the answer has passed, an answer is requested again.
    `today` is the local date of the instrument."""
    if state == OPEN and asked_at + timedelta(days=limits["answer_days"]) <= now:
        return RISEN
    if state == ANSWERED and due_date is not None and due_date < today:
        return OPEN
    return state


def contradicts(kind: str, reason: str) -> bool:
    """Return whether the recorded hours contradict the reason of an owner who says that the instrument is
    full."""
    return reason == FULL and kind in {IDLE, UNDER_USED, DEMAND_IDLE, NOT_IN_SERVICE}
