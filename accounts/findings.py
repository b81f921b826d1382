"""Findings of an examination of the installation: lines with a code and a state, for a command, a page and
JSON; and the last ones, remembered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext


class State(StrEnum):
    """How an administrator takes a finding. `NOTE` is worth knowing, but neither right nor wrong."""

    OK = "ok"
    NOTE = "note"
    AMBER = "amber"  # works today, and will not for long, or not safely
    RED = "red"


@dataclass(frozen=True)
class Finding:
    """A line about the installation. `code` names what was examined and stays the same whatever the state;
    sentence and remedy are in the language of whoever reads them."""

    code: str
    state: State
    words: str
    advice: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    area: str = ""

    @property
    def sentence(self) -> str:
        return self._said(self.words)

    @property
    def remedy(self) -> str:
        """Return what to do, or nothing."""
        return self._said(self.advice) if self.advice else ""

    def _said(self, words: str) -> str:
        values = self.values.items()
        said = {name: _moment(each) if isinstance(each, datetime) else each for name, each in values}
        return gettext(words).format(**said)


def _moment(at: datetime) -> str:
    """Return an instant in the reader's time zone; at the shell and in the API, which have none, in UTC."""
    local = timezone.localtime(at)
    return f"{local:%Y-%m-%d %H:%M}" + (" UTC" if local.tzname() == "UTC" else "")


type Findings = Iterator[Finding]


def ok(code: str, words: str, /, **values: object) -> Finding:
    return Finding(code, State.OK, words, values=values)


def note(code: str, words: str, advice: str = "", /, **values: object) -> Finding:
    return Finding(code, State.NOTE, words, advice, values)


def amber(code: str, words: str, advice: str, /, **values: object) -> Finding:
    return Finding(code, State.AMBER, words, advice, values)


def red(code: str, words: str, advice: str, /, **values: object) -> Finding:
    return Finding(code, State.RED, words, advice, values)


def short(problem: Exception) -> str:
    """Return an error as one line. Drivers' errors have several lines, whose rest may contain passwords."""
    return str(problem).strip().partition("\n")[0][:200] or type(problem).__name__


# The last findings are remembered in the cache, for pages that cannot wait for an examination: as plain
# values, because processes of two releases may read them.
LAST = "doctor:last"


def remember(found: list[Finding], at: datetime) -> None:
    """Remember what an examination has found; without a cache nothing is."""
    plain = [
        (each.code, str(each.state), each.words, each.advice, dict(each.values), each.area) for each in found
    ]
    cache.set(LAST, (at, plain), None)


def remembered() -> tuple[datetime | None, list[Finding]]:
    """Return when the installation was last examined, and what was found."""
    at, plain = cache.get(LAST) or (None, [])
    return at, [Finding(code, State(state), *rest) for code, state, *rest in plain]
