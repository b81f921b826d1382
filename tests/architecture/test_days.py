"""A moment has a day only somewhere: where the instrument is, the host, the payer, the reader. The
day of UTC is asked for where it is nobody's, and why is said here."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "bookings", "instruments", "config")
UTC_DAYS = {
    "accounts/services/seals.py": (1, "a key: one letter a night"),
    "bookings/audit/selectors/hits.py": (1, "the year of a statistic, over all zones"),
    "bookings/audit/services/actions.py": (1, "a bound; each is asked by its organisation's day"),
    "bookings/audit/services/risk.py": (1, "a weight for everybody begins with a day"),
    "bookings/audit/views/risk.py": (1, "a weight for everybody begins with a day"),
    "bookings/audit/services/findings.py": (1, "a bound; each is asked by its organisation's day"),
    "bookings/board/selectors/alarms.py": (1, "months of a statistic, over all zones"),
    "bookings/board/services/alarms.py": (3, "two keys: one message a night; a threshold for all"),
    "bookings/browsing/services/searches.py": (5, "looked at once in a day of UTC, and a key"),
    "bookings/catalogue/services/demand.py": (2, "counted once in a day of UTC"),
    "bookings/demo/services/audit.py": (1, "the demonstration"),
    "bookings/operations/selectors/settings.py": (1, "what holds for everybody begins with a day"),
    "bookings/overview/views/person.py": (1, "the least that a form takes; the host's day decides"),
    "instruments/policy/area.py": (1, "a bound, a day back; each is asked by its host's day"),
    "bookings/privacy/services/periods.py": (1, "a period for everybody begins with a day"),
    "bookings/privacy/services/retention.py": (1, "a period for everybody begins with a day"),
    "bookings/privacy/views/periods.py": (1, "a period for everybody begins with a day"),
    "bookings/operations/selectors/operations.py": (1, "a period for everybody begins with a day"),
    "bookings/reviews/story.py": (1, "the demonstration"),
    "bookings/hours/services/hours.py": (1, "the year of sums, over all zones"),
    "bookings/hours/services/norms.py": (1, "a norm for everybody begins with a year"),
    "bookings/settlement/selectors/settlements.py": (1, "a bound: two years back"),
    "instruments/training/selectors/training.py": (1, "a bound; each is asked by its own day"),
    "instruments/opening/services/opening.py": (1, "a bound; each schedule is asked by its own day"),
}
BARE = re.compile(r"\bnow(?:\(\))?\.date\(\)")


def test_the_day_of_utc_is_taken_for_nobodys() -> None:
    found = Counter(
        {
            str(path.relative_to(ROOT)): len(BARE.findall(path.read_text(encoding="utf-8")))
            for app in APPS
            for path in (ROOT / app).rglob("*.py")
        }
    )
    assert +found == {name: number for name, (number, _) in UTC_DAYS.items()}
