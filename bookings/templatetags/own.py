"""A person's own pages about bookings, and the first steps of somebody who cannot book yet."""

from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.selectors.joining import first_step_of
from bookings.catalogue.selectors.catalogue import first_day_done
from bookings.plans.selectors.waiting import offers_to

register = template.Library()

# Each with the pages below it.
TABS = [
    ("mine", _("List"), ()),
    ("calendar", _("Calendar"), ()),
    ("sample-items", _("Samples"), ("sample-new",)),
    ("waiting", _("Waiting list"), ("waiting-new", "waiting-withdraw", "waiting-decline")),
    ("kept-hours", _("Guaranteed hours"), ()),
    ("results", _("Results"), ("result",)),
    ("spending", _("Spending and vouchers"), ()),
    ("feeds", _("In other calendars"), ("busy-calendar",)),
]


@register.inclusion_tag("components/tabs.html", takes_context=True)
def own_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of "My bookings" as tabs. Offers of the waiting list are counted, unless the page has
    their number."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    offers = context.get("offers")
    if offers is None:
        offers = offers_to(context["actor"].person, context["now"]).count()
    return {
        "tabs_label": _("My bookings"),
        "tabs": [
            {
                "url": reverse(f"bookings:{name}"),
                "label": label,
                "is_here": here == name or here in below,
                "count": offers if name == "waiting" else 0,
            }
            for name, label, below in TABS
        ],
    }


@register.inclusion_tag("bookings/overview/first_day.html", takes_context=True)
def first_day(context: dict[str, Any]) -> dict[str, Any]:
    """Show what the operator and administrators have to do while no instrument is published (one statement
    finds what is done), and what others will find here."""
    actor: Actor = context["actor"]
    site = context["installation"]
    if not actor.has("administrator"):
        return {"is_set_up": bool(site.version) or context["local_mode"], "installation": site}
    done = first_day_done(actor.person)
    links = {
        "factor": ("mfa_index", _("Set up a second factor for yourself")),
        "region": ("bookings:region-new", _("Enter the regions that share instruments")),
        "organisation": ("bookings:organisation-new", _("Enter organisations")),
        "manager": ("accounts:people", _("Invite the first manager of an organisation")),
        "instrument": ("", _("Instruments: managers enter and publish them")),
    }
    return {
        "steps": [
            {"label": label, "url": reverse(view) if view else "", "is_done": done[name]}
            for name, (view, label) in links.items()
        ],
        "installation": site,
    }


@register.inclusion_tag("bookings/overview/first_step.html", takes_context=True)
def first_step(context: dict[str, Any]) -> dict[str, Any]:
    """Show the next step to somebody signed in who holds no role yet, and nothing to all others."""
    actor: Actor = context["actor"]
    now: datetime = context["now"]
    return {"first": first_step_of(actor, now)}
