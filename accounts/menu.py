"""The navigation and what waits for people: the entries that areas name in their manifests, and the groups
that these are shown in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import OPERATOR, Actor


@dataclass(frozen=True)
class MenuGroup:
    """A group of navigation entries that are shown together below a label."""

    label: str | Promise


MY_WORK = MenuGroup(_("My work"))
FACILITY = MenuGroup(_("Facility"))
MONEY = MenuGroup(_("Money"))
PLANNING = MenuGroup(_("Planning"))
FIGURES = MenuGroup(pgettext_lazy("navigation", "Figures"))
ADMINISTRATION = MenuGroup(_("Administration"))
# In their order.
GROUPS = (MY_WORK, FACILITY, MONEY, PLANNING, FIGURES, ADMINISTRATION)


@dataclass(frozen=True)
class MenuEntry:
    """An entry of the navigation: its page, label and icon (config/pages/icons.py), its group and its rank
    there (the lowest comes first), and who is shown it."""

    view: str
    label: str | Promise
    icon: str
    group: MenuGroup
    rank: int
    is_for: Callable[[Actor], bool]


@dataclass(frozen=True)
class Below:
    """Pages on which an entry of the navigation is marked as current. `pages` lists the names of pages, or
    patterns of names, separated by spaces, with the namespace for pages of another app. `where` may decide by
    the person and the values in the address. If several of a person's entries match, the last is marked."""

    entry: str
    pages: str
    where: Callable[[Actor, Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True)
class Waits:
    """One kind of thing that waits for people.

    `has` tells whether a person can have any, `rows` gives theirs; None if the home page counts them itself.
    `group` is the column by which sums are separated: the currency, or for rows without one a column that is
    the same in all. `amount` is the sum that is owed, by a `payer` who may be the host. `due` is a day,
    `until` a moment. `page`, with `query` after its address, lists exactly these rows. `words` are the words
    for one and for many; `because` says why they wait, or what becomes of them. They are counted at the
    `entry` of the navigation (or at several, separated by spaces, of which people have one), unless they are
    only `watched`: then nobody has to act on them today. The lowest `urgency` comes first.
    """

    what: str
    urgency: int
    page: str
    words: Any  # of ngettext_lazy, without a place for the number
    because: str | Promise
    has: Callable[[Actor], bool]
    rows: Callable[[Actor, datetime], Any] | None = None
    query: str = ""
    entry: str = ""
    group: str = "currency"
    amount: Any = None
    payer: str = ""
    due: str = ""
    until: str = ""
    watched: bool = False


def everybody(actor: Actor) -> bool:
    return True


def visitor(actor: Actor) -> bool:
    return actor.user_id is None


def signed_in(actor: Actor) -> bool:
    return actor.user_id is not None


def more_than_operator(actor: Actor) -> bool:
    """Return whether the actor is signed in and is not an operator alone, from whom all money is kept."""
    roles = {grant.role for grant in actor.grants}
    return signed_in(actor) and roles != {OPERATOR}


def has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


def may(*capabilities: str) -> Callable[[Actor], bool]:
    """Return a condition: an actor has one of the capabilities for some organisation as a whole."""
    return lambda actor: any(actor.organisations_where(one) for one in capabilities)


def may_for_some(*capabilities: str) -> Callable[[Actor], bool]:
    """Return a condition: an actor has one of the capabilities for some organisation, or for a facility or
    an instrument of one."""
    return lambda actor: any(actor.scope_where(one) for one in capabilities)


def operates(actor: Actor) -> bool:
    """Return whether the actor operates, or manages, some instrument."""
    return bool(actor.scope_where("operate-instruments"))
