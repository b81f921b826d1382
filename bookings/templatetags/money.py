"""The pages about money that somebody has."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from accounts.domain.roles import Actor
from accounts.letters.words import listed
from accounts.models import Region
from bookings.models import Statement
from bookings.pricing.selectors.agreements import recognised_regions
from bookings.record.domain.money import format_number, minor_digits
from bookings.record.messages import BUCKET_LABELS
from bookings.settlement.adapters.papers import quantity
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.selectors.papers import PaperLine
from instruments.domain.opening import local_date
from instruments.models import Instrument

register = template.Library()


def _anybody(actor: Actor) -> bool:
    return actor.user_id is not None


def _has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


# The first page of each part, its name, and who has it. Pages below one are named after it.
TABS = [
    ("money", _("Overview"), _anybody),
    ("money-charges", _("Charges"), _anybody),
    ("money-sessions", _("Sessions to complete"), _has("manager")),
    ("money-funding", _("Funding"), _anybody),
    ("money-agreements", _("Agreements"), _anybody),
    ("money-vouchers", _("Vouchers"), _anybody),
    ("money-statements", _("Statements"), _has("manager", "finance", "auditor")),
    ("money-notices", _("Reported payments"), _has("manager", "finance", "auditor")),
    ("money-payments", _("Payments"), _has("manager", "finance", "auditor")),
    ("money-ageing", _("Ageing"), _has("manager", "finance")),
    ("money-settlements", _("Settlement"), _has("coordinator", "auditor")),
    ("findings", _("Findings"), _has("manager", "finance")),
    ("money-rates", _("Exchange rates"), _has("manager", "finance", "auditor")),
]


@register.inclusion_tag("bookings/pricing/tabs.html", takes_context=True)
def money_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """The parts as tabs, that of the present page marked."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {
        "tabs": [
            {
                "url": reverse(f"bookings:{name}"),
                "label": label,
                "is_here": here == name or (name != "money" and here.startswith(f"{name}-")),
            }
            for name, label, is_for in TABS
            if is_for(context["actor"])
        ]
    }


# State of an agreement, programme or grant -> its words, and the badge that looks right.
STATES = {
    "proposed": (_("proposed"), "requested"),
    "coming": (_("coming"), "requested"),
    "in_force": (_("in force"), "confirmed"),
    "over": (_("over"), "completed"),
    "withdrawn": (_("withdrawn"), "cancelled"),
    "open": (pgettext_lazy("grant", "open"), "confirmed"),
    "suspended": (_("suspended"), "suspended"),
    "used_up": (_("used up"), "completed"),
    "expired": (_("expired"), "expired"),
}
# Figures of statements and settlements.
FIGURES = {
    "charges": _("Charges"),
    "total": _("Total"),
    "tax": _("Tax"),
    "covered": _("Paid by vouchers"),
    "payable": _("Payable"),
    "paid": _("Paid"),
    "net": _("Net"),
    "first_owes": _("Owed by the first region"),
    "second_owes": _("Owed by the second region"),
}


@register.filter
def bucket_label(name: str) -> str:
    return str(BUCKET_LABELS[name])


@register.filter
def state_words(state: str) -> str:
    return str(STATES[state][0])


@register.filter
def state_look(state: str) -> str:
    return STATES[state][1]


@register.filter
def plain_number(value: Any) -> str:
    """A percent without trailing zeros: `12.5`."""
    return format_number(value)


@register.simple_tag
def recognised_at(instrument: Instrument, now: datetime) -> list[Region]:
    """The regions whose certificates for a technique count at an instrument on a moment's day."""
    zone = ZoneInfo(instrument.facility.time_zone)
    return recognised_regions(instrument.region_id, local_date(zone, now))


# Why a voucher does not pay for a booking (pricing/domain/vouchers.py).
WHY_NOT = {
    "suspended": _("suspended, or not for your organisation"),
    "not-yet": _("not valid yet on that day"),
    "expired": _("no longer valid on that day"),
    "used-up": _("used up"),
    "other-currency": _("in another currency than this price"),
    "moved-away": _("your organisation belongs to another region by then"),
    "other-host": _("not for instruments of this region"),
    "not-honoured": _("no agreement with this region honours it"),
}


@register.filter
def why_not(code: str) -> str:
    return str(WHY_NOT[code])


@register.filter
def numbered(statement: Statement) -> str:
    """`USTC-2026-0007`."""
    return statement_number(statement.host.code, statement.year, statement.number)


@register.filter
def still_to_pay(statement: Statement) -> Any:
    return statement.payable - statement.paid


DETAILS = {
    "legal_name": _("legal name"),
    "address": _("address"),
    "tax_number": _("tax number"),
    "bank_account": _("bank account"),
}


@register.filter
def details_named(names: list[str]) -> str:
    """Invoice details in words: `address, bank account`."""
    return listed(DETAILS[name] for name in names)


@register.filter
def less_covered(statement: Statement) -> Any:
    """What vouchers pay, as what is taken off."""
    return -statement.covered


@register.filter
def instrument_of(line: PaperLine) -> str:
    """In the reader's language, where there is a name in it."""
    is_chinese = (translation.get_language() or "").startswith("zh")
    return (is_chinese and line.instrument_zh) or line.instrument


@register.filter
def quantity_of(line: PaperLine) -> str:
    """`2.5 h`, `12 samples`, `50 %`."""
    return quantity(line)


@register.filter
def short(number: Decimal) -> str:
    """A number without trailing zeros."""
    return format_number(number)


@register.filter
def plain_money(value: Decimal, currency: str) -> str:
    """An amount where its currency is said elsewhere: `1,234.50`."""
    return f"{value:,.{minor_digits(currency)}f}"


@register.filter
def figure_label(name: str) -> str:
    return str(FIGURES.get(name, name))


@register.filter
def figure_value(value: Decimal | int, currency: str) -> str:
    """A number of things as it is, an amount with its decimals."""
    return f"{value:,}" if isinstance(value, int) else plain_money(value, currency)


# What waits for somebody (overview/selectors/home, overview/selectors/money): the page of its rows.
WAITS_ON = {
    "offers": ("bookings:waiting", ""),
    "places": ("bookings:mine", ""),
    "requests": ("bookings:requests", ""),
    "conversations": ("bookings:conversations", ""),
    "faults": ("bookings:faults", "waits=faults"),
    "alarms": ("bookings:alarms", "waits=alarms"),
    "questions": ("instruments:questions", ""),
    "pledges": ("bookings:reviews", ""),
    "reviews": ("bookings:reviews", "waits=reviews"),
    "opinions": ("bookings:reviews", ""),
    "joining": ("accounts:people", ""),
    "organisations": ("bookings:organisation-requests", ""),
    "results": ("instruments:training", "#led-title"),
    "exceptions": ("bookings:exceptions", "state=open"),
    "replies": ("bookings:findings", "state=replied"),
    "overdue": ("bookings:findings", "state=overdue"),
    "answers": ("bookings:questions-owed", ""),
    "certificates": ("instruments:qualifications", ""),
    "drafts": ("instruments:manage", "publication=draft"),
    "submitted": ("instruments:manage", "publication=submitted"),
    "stale": ("instruments:manage", "stale=on"),
    "conflicts": ("accounts:roles", ""),
    "findings": ("bookings:findings", ""),
    "answer": ("bookings:money-charges", "waits=answer"),
    "agree": ("bookings:money-charges", "waits=agree"),
    "check": ("bookings:money-charges", "waits=check"),
    "bill": ("bookings:money-charges", "waits=bill"),
    "sign": ("bookings:money-agreements", "waits=sign"),
    "confirm": ("bookings:money-settlements", "waits=confirm"),
    "complete": ("bookings:money-sessions", ""),
    "notices": ("bookings:money-notices", "waits=notices"),
    "pay": ("bookings:money-statements", "waits=pay"),
    "owed": ("bookings:money-statements", "waits=owed"),
    "grants": ("bookings:money-vouchers", "waits=grants"),
    "sources": ("bookings:money-funding", "waits=sources"),
}
# Why it waits, or what becomes of it.
WAITS_BECAUSE = {
    "places": _("A time is kept for a flexible need of yours: accept it, or give it back."),
    "offers": _("A slot of the waiting list is kept for you: take it before it goes to the next."),
    "requests": _("One that is not answered in time expires."),
    "conversations": _("Somebody asks about a booking or a need, or proposes another time."),
    "faults": _("Nothing is closed, and nobody who comes next is told, before you confirm them."),
    "alarms": _("What nobody answers within two months goes to the region."),
    "questions": _("Your answer is shown on the instrument's page from then on."),
    "pledges": _("Somebody would use your instrument instead of buying one."),
    "reviews": _("Hosts and experts are asked, then you decide."),
    "opinions": _("Declare first whether you have an interest in the case."),
    "joining": _("They cannot book before you decide."),
    "organisations": _("Their people cannot join before you enter them."),
    "results": _("Whoever passed gets the certificate once you record it."),
    "exceptions": _("A rule detected them; nobody has looked at them yet."),
    "replies": _("Read what was done about it: close the finding, or return it."),
    "overdue": _("The organisation has not answered in time."),
    "answers": _("The use ended without the answers that are asked after it."),
    "certificates": _("Without them you cannot book some instruments to work alone."),
    "drafts": _("Nobody sees them before they are published."),
    "submitted": _("Your people entered them; check and publish them."),
    "stale": _("Nobody has confirmed or changed them for a year."),
    "conflicts": _("Nobody may audit what they also run: remove one of the roles."),
    "findings": _("An auditor asks what was wrong and what is done about it."),
    "answer": _("The payer disputes them; they do not become final before you answer."),
    "agree": _("Somebody of your organisation proposed them; a second person has to agree."),
    "sign": _("They are in force once every region has signed."),
    "confirm": _("Both regions confirm what one owes the other for vouchers."),
    "complete": _("They cannot be charged before the times of use are entered."),
    "notices": _("Payers say they have paid; match each with the money that came in."),
    "pay": _("The host marks them as paid when the money has come in."),
    "check": _("After that day a charge is final and goes on the next statement."),
    "owed": _("Mark them as paid when the money comes in."),
    "bill": _("Statements are drawn up on the first of the month."),
    "grants": _("Nine tenths or more are used or set aside for bookings."),
    "sources": _("Nine tenths or more are spent or set aside for bookings."),
}


@register.simple_tag
def waits_url(what: str) -> str:
    """The list of just what is counted."""
    page, query = WAITS_ON[what]
    return reverse(page) + (query if query.startswith("#") else f"?{query}" if query else "")


@register.filter
def waits_for(what: str, number: int) -> str:
    """`disputes to answer`: what waits, for so many."""
    match what:
        case "offers":
            return ngettext("offer of the waiting list", "offers of the waiting list", number)
        case "places":
            return ngettext("time kept for a need", "times kept for needs", number)
        case "requests":
            return ngettext("request to answer", "requests to answer", number)
        case "conversations":
            return ngettext(
                "conversation that waits for your answer",
                "conversations that wait for your answer",
                number,
            )
        case "faults":
            return ngettext("fault report to check", "fault reports to check", number)
        case "alarms":
            return ngettext("alarm to answer", "alarms to answer", number)
        case "questions":
            return ngettext("question to answer", "questions to answer", number)
        case "pledges":
            return ngettext("host's answer about hours", "hosts' answers about hours", number)
        case "reviews":
            return ngettext("purchase case to review", "purchase cases to review", number)
        case "opinions":
            return ngettext("opinion to give", "opinions to give", number)
        case "joining":
            return ngettext("person who asks to join", "people who ask to join", number)
        case "organisations":
            return ngettext("organisation to enter", "organisations to enter", number)
        case "results":
            return ngettext("training result to record", "training results to record", number)
        case "exceptions":
            return ngettext("exception to review", "exceptions to review", number)
        case "replies":
            return ngettext("reply to a finding to read", "replies to findings to read", number)
        case "overdue":
            return ngettext("finding overdue", "findings overdue", number)
        case "answers":
            return ngettext("booking with open questions", "bookings with open questions", number)
        case "certificates":
            return ngettext("certificate running out", "certificates running out", number)
        case "drafts":
            return ngettext("draft to publish", "drafts to publish", number)
        case "submitted":
            return ngettext("submitted record to check", "submitted records to check", number)
        case "stale":
            return ngettext("record to confirm", "records to confirm", number)
        case "conflicts":
            return ngettext(
                "person with conflicting duties", "people with conflicting duties", number
            )
        case "findings":
            return ngettext("finding to answer", "findings to answer", number)
        case "answer":
            return ngettext("dispute to answer", "disputes to answer", number)
        case "agree":
            return ngettext("correction to agree to", "corrections to agree to", number)
        case "sign":
            return ngettext("agreement to sign", "agreements to sign", number)
        case "confirm":
            return ngettext("settlement to confirm", "settlements to confirm", number)
        case "complete":
            return ngettext("session to complete", "sessions to complete", number)
        case "notices":
            return ngettext("reported payment to match", "reported payments to match", number)
        case "pay":
            return ngettext("statement to pay", "statements to pay", number)
        case "check":
            return ngettext("charge to check", "charges to check", number)
        case "owed":
            return ngettext(
                "statement that others have to pay", "statements that others have to pay", number
            )
        case "bill":
            return ngettext("charge to bill", "charges to bill", number)
        case "grants":
            return ngettext("voucher nearly used up", "vouchers nearly used up", number)
        case _:
            return ngettext(
                "funding source nearly used up", "funding sources nearly used up", number
            )


@register.filter
def waits_because(what: str) -> str:
    return str(WAITS_BECAUSE[what])
