"""The pages about money that somebody has."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import Region
from bookings.domain.money import format_number
from bookings.selectors.agreements import recognised_regions
from instruments.domain.opening import local_date
from instruments.models import Instrument

register = template.Library()


def _anybody(actor: Actor) -> bool:
    return actor.user_id is not None


def _has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


# The first page of each part, its name, and who has it. Pages below one are named after it.
TABS = [
    ("money-charges", _("Charges"), _anybody),
    ("money-sessions", _("Sessions to complete"), _has("manager")),
    ("money-funding", _("Funding"), _anybody),
    ("money-agreements", _("Agreements"), _anybody),
    ("money-vouchers", _("Vouchers"), _anybody),
]


@register.inclusion_tag("bookings/money/tabs.html", takes_context=True)
def money_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """The parts as tabs, that of the present page marked."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {
        "tabs": [
            {
                "url": reverse(f"bookings:{name}"),
                "label": label,
                "is_here": here == name or here.startswith(f"{name}-"),
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
    "open": (_("open"), "confirmed"),
    "suspended": (_("suspended"), "suspended"),
    "used_up": (_("used up"), "completed"),
    "expired": (_("expired"), "expired"),
}


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


# Why a voucher does not pay for a booking (domain/vouchers.py).
WHY_NOT = {
    "suspended": _("suspended, or not for your organisation"),
    "not-yet": _("not valid yet on that day"),
    "expired": _("no longer valid on that day"),
    "used-up": _("used up"),
    "other-currency": _("in another currency than this price"),
    "other-host": _("not for instruments of this region"),
    "not-honoured": _("no agreement with this region honours it"),
}


@register.filter
def why_not(code: str) -> str:
    return str(WHY_NOT[code])
