"""Format values for pages: moments, money, durations, names in the reader's language."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext, pgettext

from accounts.domain.announcements import pieces
from accounts.domain.roles import ADMINISTRATOR
from accounts.letters.words import brief_words, dated, day_words, is_chinese, listed, named, zone_name
from accounts.models import User
from accounts.permissions import actor_of
from accounts.views.pages import address_of
from bookings.audit.acts import acts
from bookings.availability.messages import RULES
from bookings.availability.models import Closure
from bookings.browsing.messages import RATINGS
from bookings.record.domain.money import format_number, minor_digits
from bookings.record.messages import sentence as sentence_of
from bookings.record.models import Reservation, UsageSession
from bookings.usage.messages import MARK_LABELS, MARKS
from instruments.rates.messages import PRICE_GROUP_LABELS, rate_name
from instruments.register.models import Instrument

register = template.Library()
register.filter("joined", listed)
register.filter("named", named)
register.filter("zone_name", zone_name)
register.filter("short_moment", brief_words)
register.filter("band", rate_name)


def local(value: datetime) -> datetime:
    """Return an instant in the active time zone, from which its time of day can be formatted."""
    return timezone.localtime(value)


@register.filter
def in_language(row: Any, field: str) -> str:
    """Return a text of a row in the current language; where it has none there, that of the other."""
    text, text_zh = getattr(row, field), getattr(row, f"{field}_zh")
    return str((is_chinese() and text_zh) or text or text_zh)


@register.filter
def linked(text: str) -> str:
    """Return a text in which web addresses that begin with https:// are links, and nothing else is."""
    link = '<a href="{}" rel="noopener nofollow">{}</a>'
    parts = (format_html(link, part, part) if is_link else part for part, is_link in pieces(text))
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def moment(value: datetime | None) -> str:
    """Return day and time in the active zone: `Fri 6 Mar 2026, 18:00`. This is the reader's zone, which the
    foot of the page names; times in another zone are followed by `zone_label`."""
    if value is None:
        return "–"
    return dated(local(value), "D j M Y, H:i", "Y年n月j日 D H:i")


@register.filter
def day(value: Any) -> str:
    """Return a day: `Fri 6 Mar 2026`."""
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return day_words(local)


@register.simple_tag(takes_context=True)
def zone_label(context: Any, zone: str) -> str:
    """Return the zone of a time, to be written after it, unless it is the reader's zone: ` (London time)`."""
    return "" if not zone or zone == context.get("reader_zone") else f" ({zone_name(zone)})"


@register.simple_tag(takes_context=True)
def person_link(context: Any, person: User, host_id: Any = None, instrument: Any = None) -> str:
    """Return the name of a person, for managers of the host (of any host, if none is given), or of the
    `instrument` of what they did there, with a link to the page of what their hosts know of them; for
    administrators, with one to the person's account."""
    actor = actor_of(context["request"].user)
    scope = actor.scope_where("manage-instruments")
    is_met = host_id in scope.organisations if host_id else bool(scope.organisations)
    if not is_met and host_id and instrument and scope:
        is_met = scope.holds(host_id, instrument.facility_id, instrument.pk)
    if not is_met:
        if actor.has(ADMINISTRATOR):
            return format_html(
                '<a href="{}">{}</a>', address_of("bookings:operations-person", person.pk), person
            )
        return str(person)
    return format_html('<a href="{}">{}</a>', address_of("bookings:person", person.pk), person)


@register.filter
def time_of_day(value: datetime) -> str:
    return local(value).strftime("%H:%M")


@register.filter
def span(thing: Any) -> str:
    """Return when something starts and ends: `Fri 6 Mar 2026, 18:00 – 20:00`; a single day is named once."""
    return f"{moment(thing.start_at)} – {ending(thing.end_at, thing.start_at)}"


@register.filter
def ending(end: datetime | None, start: datetime) -> str:
    """Write when something ends that began at `start`: on the same day the time alone, `…` while it lasts."""
    if end is None:
        return "…"
    return time_of_day(end) if timezone.localdate(start) == timezone.localdate(end) else moment(end)


@register.filter
def money(value: Any, currency: str) -> str:
    """Return an amount with its currency: `CNY 1,234.50`, `−CNY 1,234.50`."""
    amount = Decimal(str(value))
    sign = "−" if amount < 0 else ""
    return f"{sign}{currency} {abs(amount):,.{minor_digits(currency)}f}"


@register.filter
def plain(value: Any) -> str:
    """Return a number without trailing zeros: `33.3`."""
    return format_number(Decimal(str(value)))


@register.filter
def duration(minutes: int, largest: str = "days") -> str:
    """Return a length of time: `1 day 2 h 30 min`, or `26 h` with "hours" as the largest unit, as hourly
    prices and sums of hours (`6,842 h`) need it."""
    hours, rest = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24) if largest == "days" else (0, hours)
    parts = []
    if days:
        parts.append(ngettext("{days} day", "{days} days", days).format(days=days))
    if hours:
        parts.append(gettext("{hours} h").format(hours=whole(hours)))
    if rest or not parts:
        parts.append(gettext("{minutes} min").format(minutes=rest))
    return " ".join(parts)


@register.filter
def priced_words(priced: Mapping[str, Any]) -> str:
    """Return how the price in a mail came about (messaging/notifications/facts.py), without a stop."""
    parts = [
        gettext("Price group") + gettext(": ") + str(PRICE_GROUP_LABELS[priced["group"]]),
        gettext("rate card version %(v)s") % {"v": priced["version"]},
    ]
    if priced["agreement"]:
        parts.append(gettext("agreement “%(name)s”") % {"name": named(priced["agreement"])})
    if priced["voucher"]:
        covered = money(priced["covered"], priced["currency"])
        parts.append(gettext("%(name)s pays %(m)s") % {"name": named(priced["voucher"]), "m": covered})
    if priced["minimum"]:
        parts.append(gettext("at least %(d)s is charged") % {"d": duration(priced["minimum"])})
    if priced.get("is_reversed"):
        parts.append(gettext("tax 0 %: reverse charge, the customer accounts for it"))
    return gettext("; ").join(parts)


@register.filter
def priced_row(priced: Mapping[str, Any] | None) -> str:
    """Return the same as a line of its own of an HTML mail; nothing if nothing is known."""
    return format_html("<br>{}", priced_words(priced)) if priced else ""


@register.filter
def before_words(before: Any) -> str:
    """Return when a booking was before it was moved, in the zone in force."""
    return pgettext("moved from", "Before") + gettext(": ") + span(before)


@register.filter
def before_row(before: Any) -> str:
    """Return the same as a line of its own of an HTML mail; nothing if nothing is known."""
    return format_html("<br>{}", before_words(before)) if before else ""


@register.filter
def rounded(minutes: int) -> int:
    """Return a length of time rounded up, in minutes: to whole hours or, beyond one day, to whole days."""
    unit = 24 * 60 if minutes > 24 * 60 else 60
    return max(1, -(-minutes // unit)) * unit


@register.filter
def until(start: datetime, end: datetime) -> str:
    """Return the length of time between two moments; beyond a day in days and hours."""
    minutes = max(0, int((end - start).total_seconds() // 60))
    return duration(minutes - minutes % 60 if minutes > 24 * 60 else minutes)


@register.filter
def clock(seconds: int) -> str:
    """Return the time left: 9:58, or 1:59:58."""
    minutes, rest = divmod(seconds, 60)
    hours_, minutes_ = divmod(minutes, 60)
    return f"{hours_}:{minutes_:02}:{rest:02}" if hours_ else f"{minutes}:{rest:02}"


@register.filter
def tenths(ratio: str | None) -> int:
    """Return a ratio in tenths, 0 to 10, which sets how dark a cell is."""
    return min(10, max(0, round(Decimal(ratio) * 10))) if ratio else 0


@register.filter
def hours(minutes: int | None) -> str:
    """Return minutes as hours with one decimal, `1,234.5` in both languages."""
    if minutes is None:
        return "–"
    return f"{Decimal(minutes) / 60:,.1f}"


@register.filter
def measured(value: Any, flows: Any) -> str:
    """Return a value in the unit of a flow: hours, money or a number of things; None means that it is
    hidden."""
    if value is None:
        return gettext("hidden")
    match flows.measure:
        case "hours":
            return hours(value)
        case "money":
            return money(value, flows.currency)
        case _:
            return str(value)


@register.filter
def whole(number: int) -> str:
    """Return a number of things: `1,234`."""
    return f"{number:,}"


@register.filter
def one_decimal(number: Any) -> str:
    """Return a number with one decimal: `1,234.5`; a dash where there is none."""
    return "–" if number is None else f"{Decimal(number):,.1f}"


@register.filter
def percent(ratio: str | None) -> str:
    """Return a ratio as a percentage with one decimal; a dash where there is none."""
    if ratio is None:
        return "–"
    return f"{Decimal(ratio) * 100:.1f} %"


@register.filter
def after(value: Any, separator: str) -> str:
    """Return the value after a separator from the words before it; nothing if there is no value."""
    return format_html("{}{}", separator, value) if value else ""


@register.filter
def room(text: str) -> str:
    """Return where an instrument stands: a bare number or code with the word room, as it would else look like
    an inventory number; other texts as they are."""
    return gettext("room {room}").format(room=text) if _BARE_ROOM.fullmatch(text or "") else text


# "203", "B1-203", "A 12"
_BARE_ROOM = re.compile(r"[A-Za-z]{0,3}[ -]?\d[\w./-]*", re.ASCII)


@register.filter
def names(things: Any) -> str:
    """Return the names of several things as a list in a sentence."""
    return listed(named(thing) for thing in things)


@register.filter
def sentence(code: str, numbers: Any = None) -> str:
    return sentence_of(code, numbers)


@register.filter
def rules_named(codes: Any) -> str:
    """Return the names of rules as a list in a sentence."""
    return listed(RULES.get(code, code) for code in codes)


@register.filter
def rfc3339(value: datetime) -> str:
    """Return an instant in UTC, in the form used in addresses and the API."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def initial(value: Any) -> str:
    return str(value)[:1].upper()


@register.filter
def short_day(value: Any) -> str:
    """Return a day without its year: `Fri 6 Mar`."""
    return dated(value, "D j M", "n月j日 D")


@register.filter
def due_day(value: Any) -> str:
    """Return a day: `Fri 6 Mar`, of another year than this one `Fri 6 Mar 2026`."""
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return short_day(local) if local.year == timezone.localdate().year else day_words(local)


@register.filter
def short_date(value: Any) -> str:
    """Return a day by number and month: `6 Mar`."""
    return dated(value, "j M", "n月j日")


@register.filter
def month(value: Any) -> str:
    """Return a month: `March 2026`."""
    return dated(value, "F Y", "Y年n月")


@register.filter
def state_label(state: str) -> str:
    """Return the state of a reservation in words."""
    return str(Reservation.State(state).label)


@register.filter
def closure_kind(kind: str) -> str:
    """Return the kind of a closure in words."""
    return str(Closure.Kind(kind).label)


@register.filter
def name_of(names: tuple[str, str]) -> str:
    """Return the name in the reader's language from a pair of an English and a Chinese name."""
    return (is_chinese() and names[1]) or names[0]


@register.filter
def pair(name: str, name_zh: str) -> tuple[str, str]:
    """Return an English and a Chinese name as a pair, for `name_of`."""
    return name, name_zh


@register.filter
def facet(choice: Any) -> str:
    """Return the label of a facet value, or the name of a technique, in the reader's language."""
    return str((is_chinese() and choice.name_zh) or choice.name or choice.code)


@register.filter
def made_by(instrument: Any) -> str:
    """Return the manufacturer and the model of an instrument."""
    makers = listed(maker.get("name", "") for maker in instrument.manufacturers)
    return " · ".join(part for part in (makers, instrument.model) if part)


@register.filter
def described(instrument: Any) -> str:
    """Return an instrument's description in the reader's language, or in the other if that one is missing."""
    if is_chinese() and instrument.description_zh:
        return str(instrument.description_zh)
    return str(instrument.description or instrument.description_zh)


@register.filter
def service_labels(instrument: Any) -> list[str]:
    return [service_label(mode) for mode in instrument.service_modes]


@register.filter
def service_label(mode: str) -> str:
    """Return a service mode in words: `with an operator`."""
    return str(dict(Instrument.ServiceMode.choices).get(mode, mode))


@register.filter
def rating_label(rating: int) -> str:
    """Return a rating in words: `2 of 5, with trouble`."""
    return gettext("{n} of 5, {words}").format(n=rating, words=RATINGS[rating])


@register.filter
def with_samples(words: object, costs: Any) -> str:
    """Add to the way of working the number of samples that a price or a charge counts, if it counts any:
    `samples sent in, 3 samples`."""
    number = int(Decimal(getattr(costs, "inputs", {}).get("quantity") or 0))
    if not number:
        return str(words)
    counted = ngettext("{n} sample", "{n} samples", number).format(n=number)
    return f"{words}{gettext(', ')}{counted}"


@register.filter
def mark_label(mark: int) -> str:
    """Return a mark in words: `4 of 5, mostly`."""
    return str(MARKS[mark])


@register.filter
def marks_of(session: UsageSession) -> list[tuple[str, int]]:
    """Return the marks given to a usage session, each with its label."""
    row = getattr(session, "marks", None)
    every = [(str(label), getattr(row, name, None)) for name, label in MARK_LABELS.items()]
    return [(label, mark) for label, mark in every if mark is not None]


@register.filter
def group_label(group: str) -> str:
    """Return a price group in words."""
    return str(PRICE_GROUP_LABELS.get(group, group))


@register.filter
def act(action: str) -> str:
    """Return an act of the trail in words, or its code if there are none."""
    return str(acts().get(action, action))


@register.filter
def hex(value: bytes) -> str:
    return bytes(value).hex()


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Return the value of a mapping for a key that is itself a variable."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """Return the present query string with some values changed; empty values are left out."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value not in (None, ""):
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.simple_tag
def parameters(**values: Any) -> str:
    """Return a query string of these values, in order; empty values are left out."""
    kept = {name: value for name, value in values.items() if value not in ("", None)}
    return f"?{urlencode(kept)}" if kept else ""


@register.simple_tag(takes_context=True)
def narrowed(context: Any, name: str, value: str) -> str:
    """Return the query string of the present search with another choice in one facet, from the first page."""
    return query(context, **{name: value, "page": ""})
