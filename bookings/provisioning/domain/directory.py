"""Rules for what an organisation's directory (SCIM) does to its people.

A person of a directory is a membership in this one organisation: the directory brings people in, keeps their
roles and lets them go, and never touches their account or what they are elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accounts.domain.errors import invalid
from accounts.domain.roles import FINANCE, MANAGER, OPERATOR, RESEARCHER

# The groups of a directory: the roles that a manager of an organisation gives, in their usual order.
GROUPS = (RESEARCHER, OPERATOR, MANAGER, FINANCE)
USUAL = (RESEARCHER,)  # what who is brought in begins with, as whoever joins by mail domain or federation
MOST_CHANGES = 1000  # of a group's members in one request
MOST_EMAILS = 10
MOST_PEOPLE = 20_000  # of a directory: an answer about a group names all of them


class Standing(StrEnum):
    """The standing of a person of a directory in the organisation."""

    MEMBER = "member"
    INVITED = "invited"
    SUSPENDED = "suspended"  # by the directory, which may bring them back
    OUT = "out"  # never came, left, or somebody else ended it


ACTIVE = frozenset({Standing.MEMBER, Standing.INVITED})


class Step(StrEnum):
    """The act that brings a person in or lets them go."""

    NOTHING = "nothing"
    INVITE = "invite"
    RESTORE = "restore"
    END = "end"
    WITHDRAW = "withdraw"


_STEPS: Mapping[tuple[Standing, bool], Step] = {
    (Standing.SUSPENDED, True): Step.RESTORE,
    # Nobody is brought into an organisation by their address alone: they are asked.
    (Standing.OUT, True): Step.INVITE,
    (Standing.MEMBER, False): Step.END,
    (Standing.INVITED, False): Step.WITHDRAW,
}


def step(standing: Standing, *, active: bool) -> Step:
    """Return what has to be done so that a person is active, or is not."""
    return _STEPS.get((standing, active), Step.NOTHING)


@dataclass(frozen=True)
class Wanted:
    """A person as a directory wants them; `active` is None where it does not say."""

    user_name: str
    external_id: str
    display_name: str
    emails: Sequence[Mapping[str, Any]]
    active: bool | None


def address_of(user_name: str, emails: Sequence[Mapping[str, Any]]) -> str:
    """Return the address of a person: the primary one, else the one at work, else the first, else the name
    they sign in with at home if that is an address. Raise `Invalid` if there is none."""
    ranked = sorted(emails, key=lambda one: (not one.get("primary"), one.get("type") != "work"))
    found = next((str(one["value"]) for one in ranked if one.get("value")), user_name)
    if "@" not in found:
        raise invalid("emails", "required")
    return found


def in_order(roles: Iterable[str]) -> list[str]:
    """Return the roles of directories among these, each once and in their usual order."""
    given = set(roles)
    return [role for role in GROUPS if role in given]


def group_named(name: str) -> str:
    """Return the role whose group has a name, whatever its case; empty if none has."""
    folded = name.strip().casefold()
    return folded if folded in GROUPS else ""
