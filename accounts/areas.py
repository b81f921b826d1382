"""An area's manifest says what it brings to the platform: `AREA` in the module `area` of its package.

Whatever lists things of all areas (menu, timetable, words, exports) is computed from the manifests.
bookings/areas.py names the areas. They are read when Django starts, so that lower apps find here
what areas above them bring, without importing these.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from django.db.models import Model, Q, QuerySet
from django.urls import URLPattern, URLResolver
from django.utils.functional import Promise
from django.utils.module_loading import module_has_submodule
from django.utils.translation import ngettext

from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.menu import Below, MenuEntry, Waits


class Plural(NamedTuple):
    """A sentence with one form for a count of one and another for many; `number` names the count. Django's
    own plurals would read a percent sign in it as a placeholder."""

    one: str
    many: str
    number: str = ""

    def of(self, count: object) -> str:
        """Return the form for a count, in the current language."""
        return ngettext(self.one, self.many, 1 if str(count) == "1" else 2)


ngettext_lazy = Plural  # makemessages finds them by this name
type Words = str | Promise
type Sentence = Words | Plural


@dataclass(frozen=True)
class Record:
    """A kind of record that acts in the trail concern.

    `name`, `name_zh`: what one record is called, as fields or expressions; `at`: the field, or expression,
    with the moment it is about; `kind`: what such records are called, if the name of the model says too
    little; `acts`: the beginning of the codes of their acts, besides codes that begin with the kind; `page`:
    the page of one record, and `seen`: the records that somebody may open.
    """

    model: type[Model]
    name: Any = None
    name_zh: Any = None
    at: Any = None
    kind: Words = ""
    acts: str = ""
    page: str = ""
    seen: Callable[[Any], QuerySet[Any]] | None = None

    @property
    def code(self) -> str:
        """Return the kind as the trail stores it, such as "sampleitem"."""
        return str(self.model._meta.model_name)


class Erasure(StrEnum):
    """The fate of a row when the person it belongs to is forgotten."""

    DELETED = "deleted with the account"
    LATER = "deleted by the job that forgets who had the account"
    EMPTIED = "stays under the pseudonym, without what they wrote or uploaded"
    KEPT = "stays under the pseudonym: accounts, audits or others need it"


GONE, LATER, EMPTIED, KEPT = Erasure
# Why a row is an official act of whoever a key of it points to.
FOR_HOST = "done for the host of an instrument: its record"
FOR_BOOKS = "done for an organisation's or region's books"
FOR_PLATFORM = "done for a region or the platform"
FOR_PLACES = "decided on somebody else's place: that row is theirs"


@dataclass(frozen=True)
class Personal:
    """A table of a person's export, and what happens to its rows when the person is forgotten.

    `keys`: the foreign keys of the model that make a row the person's own, each with its fate when they are
    forgotten; `columns`: its fields, and `name=path` for values of related rows; `order`: the fields it is
    ordered by; `also`: a path to another person who owns the row as well; `where`: the condition for the
    rows, in place of all these.
    """

    table: str
    model: type[Model]
    keys: Mapping[str, Erasure]
    columns: str
    order: str = "created_at"
    also: str = ""
    where: Callable[[Any], Q] | None = None


@dataclass(frozen=True)
class Told:
    """Outbox effects that concern a person. `kinds` is the beginning of their kinds. `payload` is the name in
    their payload of a row of `model` that belongs to the person by one of the `paths`."""

    kinds: str
    payload: str
    model: type[Model]
    paths: str


class Forgets(Protocol):
    """Deletes or empties what a person who leaves for good wrote and what belonged only to them."""

    def __call__(self, by: Any, *, user: Any) -> object: ...


@dataclass(frozen=True)
class Merges:
    """A kind of row that passes to another organisation when its own is merged into that one.

    `owner` is the field with the organisation that has the row. `where` narrows the rows of the model that
    belong to the organisation; `rows`, called with an organisation and a moment, replaces that condition.
    `turn` is the order in which kinds are locked and listed, lowest first: up to 100 as in
    bookings/record/locks.py, above 100 for rows that nobody else locks together with others. `is_first`:
    the rows are locked before instruments; `behind`: rows to lock before those of this kind;
    `at_instruments`: the rows of the instruments that these rows belong to are locked too. `names`: the
    field with the names that are shown; `renamed`: the field to which the code of the merged organisation
    is added if the other organisation already uses the name. `is_handed_over`: nothing but the owner of the
    rows changes; otherwise a service does the rest. `closes`: what to do with the rows at a moment when the
    organisation is closed.
    """

    kind: str
    model: type[Model]
    turn: int
    label: Words = ""
    owner: str = "organisation"
    where: Mapping[str, Any] = field(default_factory=dict)
    rows: Callable[[Any, datetime], QuerySet[Any]] | None = None
    is_first: bool = False
    behind: Callable[[Any], QuerySet[Any]] | None = None
    at_instruments: bool = False
    names: str = ""
    renamed: str = ""
    is_handed_over: bool = True
    closes: Callable[[QuerySet[Any], datetime], object] | None = None


@dataclass(frozen=True)
class Area:
    """The manifest of one package.

    `is_asked_most`: its addresses are tried before those of others. `menu`: entries of the navigation, with
    the pages `below` them; `waits`: the kinds of things that wait for people. `refusals`: sentences by the
    code of the refusal; a code that several areas use is listed in the lowest of them. `acts`: what the trail
    calls the area's acts, by code; `act_groups`: what acts are about that concern no record of that name, by
    the beginning of their codes; `records`: the kinds of record that acts concern. `topics`: groups of
    messages among which people choose. `joins`: lists of functions in lower areas, each with the function
    that this area adds to it. `lanes`: the lane of effects that wait for other systems
    (accounts/domain/jobs.py), by kind or the first part of the kind. `events`: the events that webhooks
    report.

    Every foreign key to a person is in `personal` or in `official`. A personal table is part of the person's
    export. An official act belongs to the organisation, region or platform it was done for, so it is not
    exported as a row; the export has its entry in the trail, with the reasons given. The row stays and shows
    the pseudonym of a forgotten person; `official` says why. `told`: outbox effects that concern a person;
    `forgets`: what is done in the transaction that closes an account, before its rows are deleted, from the
    top area down.

    `merges`: the rows that pass to another organisation in a merger. `files`: rows whose files are stored by
    their key, each as key and kind ("photo" has several sizes).
    """

    package: str
    is_asked_most: bool = False
    refusals: Mapping[str, Sentence] = field(default_factory=dict)
    menu: tuple[MenuEntry, ...] = ()
    below: tuple[Below, ...] = ()
    waits: tuple[Waits, ...] = ()
    records: tuple[Record, ...] = ()
    acts: Mapping[str, Words] = field(default_factory=dict)
    act_groups: Mapping[str, Words] = field(default_factory=dict)
    topics: tuple[Topic, ...] = ()
    lanes: Mapping[str, str] = field(default_factory=dict)
    events: tuple[HookEvent, ...] = ()
    joins: tuple[tuple[list[Any], Callable[..., Any]], ...] = ()
    personal: tuple[Personal, ...] = ()
    official: Mapping[str, str] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    forgets: tuple[Forgets, ...] = ()
    merges: tuple[Merges, ...] = ()
    files: tuple[QuerySet[Any, Any], ...] = ()

    @property
    def name(self) -> str:
        """Return the last part of the package, such as "samples"."""
        return self.package.rpartition(".")[2]

    @property
    def app(self) -> str:
        """Return the first part of the package, such as "bookings"."""
        return self.package.partition(".")[0]


_areas: list[Area] = []
_computed: list[Any] = []


def areas() -> tuple[Area, ...]:
    """Return all areas, from bottom to top. `RuntimeError` before Django has started."""
    if not _areas:
        raise RuntimeError("Areas are known when Django has started.")
    return tuple(_areas)


def areas_load(packages: Iterable[str]) -> None:
    """Read the manifests of packages, from bottom to top; they replace those read before."""
    read = [import_module(f"{package}.area").AREA for package in packages]
    for joined, function in (join for area in _areas for join in area.joins):
        joined.remove(function)
    _areas[:] = read
    for joined, function in (join for area in _areas for join in area.joins):
        joined.append(function)
    for function in _computed:
        function.cache_clear()


def modules(name: str, packages: Iterable[str] | None = None) -> Iterator[ModuleType]:
    """Import the modules of a name, as "admin", of those areas (or packages) that have one."""
    for package in [area.package for area in areas()] if packages is None else packages:
        if module_has_submodule(import_module(package), name):
            yield import_module(f"{package}.{name}")


def addresses(kind: str, app: str = "") -> list[URLPattern | URLResolver]:
    """Return the addresses that the `urls` modules of all areas (or those of one app) list as `pages`,
    `money` or `api`.

    They are in the order in which they are tried. It affects only speed: no address matches those of two
    areas.
    """
    order = sorted(areas(), key=lambda area: not area.is_asked_most)
    packages = [area.package for area in order if app in {"", area.app}]
    return [each for module in modules("urls", packages) for each in getattr(module, kind, ())]


def computed[Result](function: Callable[[], Result]) -> Callable[[], Result]:
    """Cache what a function computes from all areas until the manifests are read again."""
    kept = cache(function)
    _computed.append(kept)
    return kept
