"""Who gets which answer at every address of the project's own pages and API.

One row an address and method; one column a person (tests/factories/cast.py): nobody signed in;
Alice, who belongs nowhere; Wang (researcher of the payer, whose booking it is); Sun (researcher of
the host); Hu (researcher of an enterprise of the host's region); Zhao (manager of the host); Chen
(manager of the payer); Lin (finance of the payer); Gao (finance of the host); an auditor and a
coordinator of the host's region; Xu, coordinator of the payer's; an administrator.
The rows lie beside the tests of each area, in its `addresses.py`, with what is sent to them and the
things they name.
`-` means: sent to sign in (pages), or 401 (API). 302 on a POST means done.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from bookings.areas import PACKAGES
from tests.factories.cast import Cast

TESTS = Path(__file__).parents[1]

PEOPLE = (
    "", "alice", "wang", "sun", "hu", "zhao", "chen", "lin", "gao", "auditor", "coordinator", "xu",
    "admin",
)  # fmt: skip

# allauth's and Django's own; their pages are tried in tests/accounts.
NOT_OURS = (
    "account_", "mfa_", "socialaccount_", "usersessions_", "openid_connect_", "orcid_", "saml_",
    "admin",
)  # fmt: skip


def _modules() -> Iterator[ModuleType]:
    for package in (*PACKAGES, "config"):
        if (TESTS / package.replace(".", "/") / "addresses.py").exists():
            yield import_module(f"tests.{package}.addresses")


def _rows(table: str) -> str:
    return "\n".join(getattr(module, table).strip() for module in _modules() if hasattr(module, table))


def _all(name: str) -> dict[Any, Any]:
    """Return what areas say under a name; nothing is said twice."""
    parts = [getattr(module, name, {}) for module in _modules()]
    found = {key: value for part in parts for key, value in part.items()}
    assert len(found) == sum(len(part) for part in parts), f"{name}: said by two areas"
    return found


PAGES, API = _rows("PAGES"), _rows("API")
# The codes of refusals of operations that write, where they are not their status's usual one.
REFUSED = _rows("REFUSED")
# Which thing an argument of an address names, and where an address means another.
ARGUMENTS, THINGS = _all("ARGUMENTS"), _all("THINGS")
# What follows an address: `<word>` is the id of a thing of the test's world. What is sent to it.
QUERIES, PAGE_BODIES, API_BODIES = _all("QUERIES"), _all("PAGE_BODIES"), _all("API_BODIES")
# Who has most to see on a page, what a browser asks it, and where it takes more than eight statements:
# two of each that asks the rules are for hours that are kept for somebody, as of the instrument here.
SEEN_BY, ASKED, MORE_STATEMENTS = _all("SEEN_BY"), _all("ASKED"), _all("MORE_STATEMENTS")


def things_of_areas(cast: Cast) -> dict[str, str]:
    """Make the things that areas want in the test's world, and return their ids by name."""
    makers = (getattr(module, "things", None) for module in _modules())
    return {name: pk for make in makers if make is not None for name, pk in make(cast).items()}
