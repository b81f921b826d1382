"""How values look on a page: moments, money, durations, names in the reader's language."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bookings.domain.money import format_number, minor_digits
from bookings.messages import RULES
from bookings.messages import sentence as sentence_of
from bookings.models import Closure, Reservation

register = template.Library()

GROUPS = {
    "internal": _("the owner's own people"),
    "regional": _("same region"),
    "partner": _("partner region"),
    "external": _("other regions"),
    "industry": _("enterprise"),
}
ACTS = {
    "reservation.held": _("Held"),
    "reservation.requested": _("Requested"),
    "reservation.confirmed": _("Confirmed"),
    "reservation.in_use": _("Checked in"),
    "reservation.completed": _("Completed"),
    "reservation.cancelled": _("Cancelled"),
    "reservation.rejected": _("Declined"),
    "reservation.expired": _("Expired without an answer"),
    "reservation.no_show": _("Not used"),
    "reservation.displaced": _("Displaced by a closure"),
    "reservation.reseat": _("Moved to another unit"),
    "reservation.cut_short": _("Cut short by a closure"),
    "series.create": _("Series booked"),
    "series.move": _("Series moved"),
    "series.cancel": _("Series cancelled"),
    "waiting.create": _("Put on the waiting list"),
    "waiting.offer": _("A slot was offered"),
    "waiting.fulfilled": _("The waiting has ended: the slot was taken"),
    "waiting.withdrawn": _("Taken off the waiting list"),
    "waiting.expired": _("The waiting has ended without a slot"),
    "chain.create": _("Chain booked"),
    "chain.cancel": _("Chain cancelled"),
    "feed.make": _("Calendar address made"),
    "feed.renew": _("Calendar address renewed"),
    "feed.revoke": _("Calendar address revoked"),
    "busycalendar.set": _("Own calendar set"),
    "busycalendar.remove": _("Own calendar forgotten"),
    "webhook.add": _("Webhook added"),
    "webhook.change": _("Webhook changed"),
    "webhook.rotate": _("Secret of a webhook renewed"),
    "webhook.ping": _("Webhook tested"),
    "webhook.replay": _("Delivery of a webhook sent again"),
    "webhook.disable": _("Webhook disabled"),
    "webhook.delete": _("Webhook deleted"),
    "messages.choose": _("Choices about messages changed"),
    "charge.create": _("Charged"),
    "charge.final": _("The charge is final"),
    "charge.dispute": _("Charge disputed"),
    "charge.dispute-withdraw": _("Dispute withdrawn"),
    "charge.dispute-reject": _("Dispute rejected"),
    "charge.correct-propose": _("Correction proposed"),
    "charge.correct-refuse": _("Correction refused"),
    "charge.correct-withdraw": _("Correction withdrawn"),
    "charge.reverse": _("Correction agreed: charge reversed"),
    "reservation.usage": _("Times of use set"),
    "source.create": _("Funding source made"),
    "source.update": _("Funding source changed"),
    "source.suspend": _("Funding source suspended"),
    "source.resume": _("Funding source resumed"),
    "agreement.propose": _("Agreement proposed"),
    "agreement.change": _("Proposal changed"),
    "agreement.sign": _("Agreement signed"),
    "agreement.end": _("Agreement ended"),
    "agreement.withdraw": _("Proposal withdrawn"),
    "programme.create": _("Voucher programme begun"),
    "programme.change": _("Voucher programme changed"),
    "programme.suspend": _("Voucher programme suspended"),
    "programme.resume": _("Voucher programme resumed"),
    "grant.create": _("Voucher granted"),
    "grant.change": _("Grant changed"),
    "grant.suspend": _("Grant suspended"),
    "grant.resume": _("Grant resumed"),
    "effect.retry": _("Failed effect tried again"),
    "job.retry": _("Failed job tried again"),
    "month.close": _("Month closed"),
    "statement.issue": _("Statement drawn up"),
    "statement.void": _("Statement voided"),
    "statement.payment": _("Payment marked on a statement"),
    "statement.convert": _("Statement shown in the payer's currency"),
    "settlement.draw": _("Settlement drawn up"),
    "settlement.confirm": _("Settlement confirmed"),
    "settlement.payment": _("Payment marked on a settlement"),
    "exchangerate.enter": _("Exchange rate entered"),
    "norm.add": _("Norm hours entered"),
    "instrument.create": _("Instrument entered"),
    "import.start": _("Import of instruments brought"),
    "import.apply": _("Import of instruments begun"),
    "import.done": _("Import of instruments carried out"),
    "import.cancel": _("Import of instruments stopped"),
    "import_mapping.save": _("Mapping of columns saved"),
    "import_mapping.delete": _("Mapping of columns forgotten"),
    "harvest.add": _("Harvest set up"),
    "harvest.change": _("Harvest changed"),
    "harvest.pause": _("Harvest paused"),
    "harvest.resume": _("Harvest resumed"),
    "harvest.fetch": _("Harvest asked for by hand"),
    "harvest.delete": _("Harvest deleted"),
    "instrument.update": _("Instrument record changed"),
    "instrument.import": _("Instrument imported"),
    "instrument.submit": _("Instrument submitted"),
    "instrument.publish": _("Instrument published"),
    "instrument.suspend": _("Instrument suspended"),
    "instrument.retire": _("Instrument retired"),
    "instrument.return": _("Instrument given back"),
    "instrument.confirm": _("Record confirmed"),
    "instrument.merge": _("Record merged into another"),
    "instrument.attachment-add": _("Photo or document added"),
    "instrument.attachment-change": _("Photo or document changed"),
    "instrument.attachment-delete": _("Photo or document deleted"),
    "duplicates.kept": _("Likely duplicates kept apart"),
    "duplicates.merged": _("Duplicates merged"),
    "facility.create": _("Facility entered"),
    "opening.set": _("Opening hours set"),
    "policy.set": _("Booking policy set"),
    "qualification.grant": _("Qualification given"),
    "qualification.revoke": _("Qualification revoked"),
    "course.create": _("Course offered"),
    "course.change": _("Course changed"),
    "course.retire": _("Course retired"),
    "course-session.create": _("Course session entered"),
    "course-session.change": _("Course session changed"),
    "course-session.cancel": _("Course session cancelled"),
    "enrolment.make": _("Place in a course asked for"),
    "enrolment.withdraw": _("Place in a course given up"),
    "enrolment.move-up": _("Moved up to a place in a course"),
    "enrolment.result": _("Course completed or not"),
    "ratecard.create": _("Rate card drafted"),
    "ratecard.update": _("Rate card draft changed"),
    "ratecard.delete": _("Rate card draft deleted"),
    "ratecard.publish": _("Rate card put in force"),
    "closure.create": _("Closed"),
    "closure.end": _("Closure ended"),
    "closure.delete": _("Closure taken back"),
    "region.create": _("Region entered"),
    "organisation.create": _("Organisation entered"),
    "membership.start": _("Membership begun"),
    "membership.end": _("Membership ended"),
    "role.grant": _("Role given"),
    "role.revoke": _("Role taken away"),
    "invitation.send": _("Invited"),
    "invitation.accept": _("Invitation accepted"),
    "invitation.withdraw": _("Invitation withdrawn"),
    "joinrequest.create": _("Asked to join"),
    "joinrequest.approve": _("Request to join approved"),
    "joinrequest.reject": _("Request to join declined"),
    "joinrequest.withdraw": _("Request to join withdrawn"),
    "organisation.joining": _("Ways to join changed"),
    "organisation.scopes": _("Scopes changed"),
    "provider.create": _("Place to sign in entered"),
    "provider.update": _("Place to sign in changed"),
    "provider.delete": _("Place to sign in removed"),
    "user.way-add": _("Way to sign in added"),
    "user.way-remove": _("Way to sign in removed"),
    "token.issue": _("Token made"),
    "token.revoke": _("Token revoked"),
    "user.create": _("Signed up"),
    "user.update": _("Profile changed"),
    "user.email-verify": _("E-mail address confirmed"),
    "user.email-change": _("E-mail address changed"),
    "user.password-change": _("Password changed"),
    "user.password-reset": _("Password set anew"),
    "user.factor-add": _("Second factor turned on"),
    "user.factor-remove": _("Second factor turned off"),
    "user.factor-renew": _("Recovery codes made anew"),
    "user.sign-in-block": _("Sign-in closed for a while: too many wrong passwords"),
    "hours-export.start": _("Table of hours asked for as a file"),
    "user.export": _("Own data taken along"),
    "exception.find": _("Exception found"),
    "exception.review": _("Exception under review"),
    "exception.explained": _("Exception explained"),
    "exception.confirmed": _("Exception confirmed"),
    "auditrun.done": _("Rules of the audit gone through"),
    "finding.raise": _("Finding raised"),
    "finding.reply": _("Finding answered"),
    "finding.return": _("Answer to a finding sent back"),
    "finding.close": _("Finding closed"),
    "sample.draw": _("Sample drawn"),
    "user.bundle": _("Bundle of the trail taken along"),
    "user.seals": _("Newest seal by mail turned on or off"),
    "user.close": _("Account closed for good"),
    "user.erase": _("Person forgotten"),
}


@register.filter
def moment(value: datetime | None) -> str:
    """Day and time in the active zone: `Fri 6 Mar 2026, 18:00`."""
    if value is None:
        return "–"
    return _dated(timezone.localtime(value), "D j M Y, H:i", "Y年n月j日 D H:i")


@register.filter
def day(value: Any) -> str:
    """A day: `Fri 6 Mar 2026`."""
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return _dated(local, "D j M Y", "Y年n月j日 D")


@register.filter
def time_of_day(value: datetime) -> str:
    return timezone.localtime(value).strftime("%H:%M")


@register.filter
def money(value: Any, currency: str) -> str:
    """An amount with its currency: `CNY 1,234.50`, `−CNY 1,234.50`."""
    amount = Decimal(str(value))
    sign = "−" if amount < 0 else ""
    return f"{sign}{currency} {abs(amount):,.{minor_digits(currency)}f}"


@register.filter
def plain(value: Any) -> str:
    """A number without trailing zeros: `33.3`."""
    return format_number(Decimal(str(value)))


@register.filter
def duration(minutes: int) -> str:
    """`2 h 30 min`."""
    hours, rest = divmod(int(minutes), 60)
    parts = []
    if hours:
        parts.append(gettext("{hours} h").format(hours=hours))
    if rest or not hours:
        parts.append(gettext("{minutes} min").format(minutes=rest))
    return " ".join(parts)


@register.filter
def clock(seconds: int) -> str:
    """Time left: 9:58, or 1:59:58."""
    minutes, rest = divmod(seconds, 60)
    hours_, minutes_ = divmod(minutes, 60)
    return f"{hours_}:{minutes_:02}:{rest:02}" if hours_ else f"{minutes}:{rest:02}"


@register.filter
def tenths(ratio: str | None) -> int:
    """A ratio in tenths, 0 to 10: how dark a cell is."""
    return min(10, max(0, round(Decimal(ratio) * 10))) if ratio else 0


@register.filter
def hours(minutes: int | None) -> str:
    """Minutes as hours with one decimal: both languages write 1,234.5."""
    if minutes is None:
        return "–"
    return f"{Decimal(minutes) / 60:,.1f}"


@register.filter
def percent(ratio: str | None) -> str:
    """A ratio as a percentage with one decimal; a dash where there is none."""
    if ratio is None:
        return "–"
    return f"{Decimal(ratio) * 100:.1f} %"


@register.filter
def named(thing: Any) -> str:
    """The name of a region, organisation, facility, instrument or technique in the reader's
    language, where it has one."""
    if thing is None:
        return ""
    name_zh = getattr(thing, "name_zh", "")
    if is_chinese() and name_zh:
        return str(name_zh)
    return str(getattr(thing, "name", None) or thing)


@register.filter
def names(things: Any) -> str:
    """The names of several, as a sentence lists them."""
    return ("、" if is_chinese() else ", ").join(named(thing) for thing in things)


@register.filter
def sentence(code: str, numbers: Any = None) -> str:
    return sentence_of(code, numbers)


@register.filter
def rules_named(codes: Any) -> str:
    """The names of rules, with commas between."""
    return gettext(", ").join(str(RULES.get(code, code)) for code in codes)


@register.filter
def rfc3339(value: datetime) -> str:
    """An instant in UTC, as addresses and the API say it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def initial(value: Any) -> str:
    return str(value)[:1].upper()


@register.filter
def band(code: str) -> str:
    """A code of a rate card as a word: `night-shift` reads `night shift`."""
    return code.replace("-", " ").replace("_", " ")


@register.filter
def short_moment(value: datetime) -> str:
    """`Fri 6 Mar 18:00`."""
    return _dated(timezone.localtime(value), "D j M H:i", "n月j日 D H:i")


@register.filter
def short_day(value: Any) -> str:
    """`Fri 6 Mar`."""
    return _dated(value, "D j M", "n月j日 D")


@register.filter
def month(value: Any) -> str:
    """`March 2026`."""
    return _dated(value, "F Y", "Y年n月")


@register.filter
def state_label(state: str) -> str:
    """The state of a reservation in words."""
    return str(Reservation.State(state).label)


@register.filter
def closure_kind(kind: str) -> str:
    """The kind of a closure in words."""
    return str(Closure.Kind(kind).label)


@register.filter
def name_of(names: tuple[str, str]) -> str:
    """Of a name in English and Chinese the reader's."""
    return (is_chinese() and names[1]) or names[0]


@register.filter
def pair(name: str, name_zh: str) -> tuple[str, str]:
    """A name in English and Chinese, for `name_of`."""
    return name, name_zh


@register.filter
def facet(choice: Any) -> str:
    """What a value of a facet, or a technique, is called in the reader's language."""
    return str((is_chinese() and choice.name_zh) or choice.name or choice.code)


@register.filter
def made_by(instrument: Any) -> str:
    """Maker and model."""
    makers = ", ".join(str(maker.get("name", "")) for maker in instrument.manufacturers)
    return " · ".join(part for part in (makers, instrument.model) if part)


@register.filter
def described(instrument: Any) -> str:
    """The description in the reader's language, where there is one."""
    if is_chinese() and instrument.description_zh:
        return str(instrument.description_zh)
    return str(instrument.description or instrument.description_zh)


@register.filter
def service_labels(instrument: Any) -> list[str]:
    labels = dict(instrument.ServiceMode.choices)
    return [str(labels.get(mode, mode)) for mode in instrument.service_modes]


@register.filter
def group_label(group: str) -> str:
    """A price group in words."""
    return str(GROUPS.get(group, group))


@register.filter
def act(action: str) -> str:
    """An act of the trail in words; one without words says its code."""
    return str(ACTS.get(action, action))


@register.filter
def hex(value: bytes) -> str:
    return bytes(value).hex()


@register.filter
def last_digits(value: Any) -> str:
    return str(value)[-8:]


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """A value of a mapping by a key that is itself a variable."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The present query string with some values changed; an empty value is left out."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value not in (None, ""):
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.simple_tag(takes_context=True)
def narrowed(context: Any, name: str, value: str) -> str:
    """The present search with another choice of one facet, from its first page."""
    return query(context, **{name: value, "page": ""})


def _dated(value: Any, english: str, chinese: str) -> str:
    """By one of the two patterns; Chinese weekdays in their short form, as `D` means."""
    if is_chinese():
        return date_format(value, chinese).replace("星期", "周")
    return date_format(value, english)


def is_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")
