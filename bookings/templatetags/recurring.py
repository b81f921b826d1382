"""Rules of recurrence in words."""

from datetime import datetime

from django import template
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import listed
from bookings.series.domain.series import Rule, parse_rule

register = template.Library()

WHICH = {
    1: _("on the first {day}"),
    2: _("on the second {day}"),
    3: _("on the third {day}"),
    4: _("on the fourth {day}"),
    5: _("on the fifth {day}"),
    -1: _("on the last {day}"),
}


@register.filter
def recurrence(text: str) -> str:
    """Return a rule in words: `every 2 weeks, on Mon, Wed, 10 times`; an empty rule as `on individual
    dates`."""
    if not text:
        return gettext("on individual dates")
    rule = parse_rule(text)
    return gettext(", ").join([_every(rule), *_days(rule), _end(rule)])


ONE = {"DAILY": _("every day"), "WEEKLY": _("every week"), "MONTHLY": _("every month")}
SOME = {"DAILY": _("every {n} days"), "WEEKLY": _("every {n} weeks"), "MONTHLY": _("every {n} months")}


def _every(rule: Rule) -> str:
    n = rule.interval
    return str(ONE[rule.frequency]) if n == 1 else str(SOME[rule.frequency]).format(n=n)


def _days(rule: Rule) -> list[str]:
    parts = []
    plain = [str(WEEKDAYS_ABBR[day]) for n, day in rule.weekdays if not n]
    if plain:
        parts.append(gettext("on {days}").format(days=listed(plain)))
    for n, day in rule.weekdays:
        if n in WHICH:
            parts.append(str(WHICH[n]).format(day=WEEKDAYS[day]))
        elif n:
            parts.append(f"{n} {WEEKDAYS[day]}")
    if rule.month_days:
        days = listed(rule.month_days)
        parts.append(gettext("on day {days} of the month").format(days=days))
    return parts


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return gettext("once") if rule.count == 1 else gettext("{n} times").format(n=rule.count)
    until = rule.until
    day = until.date() if isinstance(until, datetime) else until
    return gettext("until {day}").format(day=date_format(day, "DATE_FORMAT") if day else "–")
