"""Rules of recurrence in words."""

from datetime import datetime

from django import template
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from bookings.domain.series import Rule, parse_rule

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
    """`every 2 weeks, on Mon, Wed, 10 times`. Without a rule: dates of their own."""
    if not text:
        return gettext("on dates of their own")
    rule = parse_rule(text)
    parts = [_every(rule), *_days(rule), _end(rule)]
    return gettext("{one}, {other}").format(
        one=gettext(", ").join(part for part in parts[:-1] if part), other=parts[-1]
    )


def _every(rule: Rule) -> str:
    n = rule.interval
    said = {
        "DAILY": ngettext("every day", "every {n} days", n),
        "WEEKLY": ngettext("every week", "every {n} weeks", n),
        "MONTHLY": ngettext("every month", "every {n} months", n),
    }
    return said[rule.frequency].format(n=n)


def _days(rule: Rule) -> list[str]:
    parts = []
    plain = [str(WEEKDAYS_ABBR[day]) for n, day in rule.weekdays if not n]
    if plain:
        parts.append(gettext("on {days}").format(days=gettext(", ").join(plain)))
    for n, day in rule.weekdays:
        if n in WHICH:
            parts.append(str(WHICH[n]).format(day=WEEKDAYS[day]))
        elif n:
            parts.append(f"{n} {WEEKDAYS[day]}")
    if rule.month_days:
        days = gettext(", ").join(str(day) for day in rule.month_days)
        parts.append(gettext("on day {days} of the month").format(days=days))
    return parts


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return ngettext("once", "{n} times", rule.count).format(n=rule.count)
    until = rule.until
    day = until.date() if isinstance(until, datetime) else until
    return gettext("until {day}").format(day=date_format(day, "DATE_FORMAT") if day else "–")
