"""Load what failed, grouped by what it is and why: effects, things of jobs, deliveries of webhooks, harvests,
requested files and imports."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import FileJob, Invitation, Message, TrailEntry, User
from accounts.selectors.jobs import Failure, failed_texts, failures
from bookings.audit.models import AuditPaper, TrailBundle
from bookings.audit.selectors.trail_records import Called, called_of, records
from bookings.messaging.models import WebhookAttempt, WebhookDelivery
from bookings.operations.domain.failures import UNFORESEEN, cause_of, may_give_up
from bookings.statistics.models import HoursExport
from instruments.exchange.domain.harvests import MOST_FAILURES
from instruments.exchange.models import Fetching, Harvest, Import

WEBHOOKS, HARVESTS, IMPORTS = "webhook.deliver", "harvests", "imports"
FILES: Mapping[str, type[FileJob]] = {
    "exports of hours": HoursExport,
    "papers of auditors": AuditPaper,
    "bundles": TrailBundle,
}
GIVEN_UP = "failure.give-up"  # how the trail calls it where no row says so itself
MOST = 200  # failures that are listed
MOST_COUNTED = 5000  # failures of one source of an area that are read to count them and to act on them
ADDRESSED = ("message", "user", "invitation")  # rows with an address, as payloads call them
GUESSED = ("reservation", "instrument", "organisation", "statement", "handoff", "need")


@dataclass(frozen=True)
class Group:
    """Failures of the same work with the same cause. `first_at`: when the oldest was to be done, or failed
    first; `due_at`: when the next is tried again; `ended`: how many are not tried again by themselves;
    `error`: the text of one of them."""

    name: str
    cause: str
    number: int
    ended: int
    first_at: datetime
    last_at: datetime
    due_at: datetime | None
    error: str
    may_give_up: bool


@dataclass(frozen=True)
class Named:
    """A failure with the names of the records that it is about."""

    failure: Failure
    about: list[Called]
    person: User | None = None  # whose address it was for


def load_groups() -> list[Group]:
    """Return all failures by name and cause, the latest first. Three statements, and one for each other
    source that has some."""
    groups: dict[tuple[str, str], Group] = {}
    for text in failed_texts():
        one = Group(
            text.name, cause_of(text.error), text.number, text.ended, text.first_at, text.last_at,
            text.due_at, text.error, may_give_up(text.is_job),
        )  # fmt: skip
        _add(groups, one)
    for name in _present():
        for row in OTHERS[name].load():
            ended = int(row.due_at is None)
            cause = cause_of(row.error)
            one = Group(name, cause, 1, ended, row.first_at, row.last_at, row.due_at, row.error, True)
            _add(groups, one)
    return sorted(groups.values(), key=lambda group: group.last_at, reverse=True)


def _add(groups: dict[tuple[str, str], Group], one: Group) -> None:
    had = groups.setdefault((one.name, one.cause), one)
    if had is not one:
        groups[one.name, one.cause] = replace(
            had,
            number=had.number + one.number,
            ended=had.ended + one.ended,
            first_at=min(had.first_at, one.first_at),
            last_at=max(had.last_at, one.last_at),
            due_at=min(filter(None, (had.due_at, one.due_at)), default=None),
            may_give_up=had.may_give_up and one.may_give_up,
        )


def load_failures(name: str = "", cause: str = "") -> list[Failure]:
    """Return failures, the latest first, at most `MOST`; only those of a name and with a cause if given."""
    found = failures(name)
    found += [row for other in OTHERS if name in ("", other) for row in OTHERS[other].load()]
    found = [row for row in found if not cause or cause_of(row.error) == cause]
    return sorted(found, key=lambda row: row.last_at, reverse=True)[:MOST]


def load_named(rows: Iterable[Failure]) -> list[Named]:
    """Return failures with whom they are for and what they are about. At most six statements."""
    rows = list(rows)
    mails = _mails(rows)
    rows = [_written_out(row, mails) for row in rows]
    about = {row.id: list(_records_of(row)) for row in rows}
    called = called_of(key for keys in about.values() for key in keys)
    people = {
        one.email: one for one in User.objects.filter(email__in={row.to for row in rows if "@" in row.to})
    }
    return [
        Named(row, [called[key] for key in about[row.id] if key in called], people.get(row.to))
        for row in rows
    ]


def _mails(rows: list[Failure]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the addresses that mails go to, and what each is about, by the id that a row has of it: of a
    message, a person, or an invitation."""
    values = {row.named[kind] for row in rows for kind in ADDRESSED if kind in row.named}
    ids = {pk for value in values if (pk := _uuid(value))}
    if not ids:
        return {}
    found = {
        str(pk): (email, {"": str(about)} if about else {})
        for pk, email, about in Message.objects.filter(pk__in=ids).values_list("pk", "user__email", "about")
    }
    for model in (User, Invitation):
        for pk, email in model._default_manager.filter(pk__in=ids).values_list("pk", "email"):
            found[str(pk)] = email, {}
    return found


def _written_out(row: Failure, mails: Mapping[str, tuple[str, dict[str, str]]]) -> Failure:
    for kind in ADDRESSED:
        if found := mails.get(row.named.get(kind, "")):
            email, about = found
            return replace(row, to=email, named={**row.named, **about})
    return row


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _records_of(row: Failure) -> Iterator[tuple[str, UUID]]:
    for kind, value in row.named.items():
        pk = _uuid(value)
        if pk is None:
            continue
        if kind in records():
            yield kind, pk
        elif not kind:
            yield from ((guess, pk) for guess in GUESSED)


# What areas have as failed themselves


@dataclass(frozen=True)
class Source:
    """A table of an area that says by itself what failed: its failed rows, each with its `last_at`, and each
    as a failure."""

    rows: Callable[[], QuerySet[Any]]
    failure: Callable[[Any], Failure]

    def load(self, most: int = MOST_COUNTED) -> list[Failure]:
        """Return the failures that nobody has given up since they happened, the latest first. One
        statement."""
        ended = TrailEntry.objects.filter(object_id=OuterRef("pk"), action=GIVEN_UP).order_by("-at")
        rows = self.rows().annotate(given_up_at=Subquery(ended.values("at")[:1]))
        standing = rows.filter(Q(given_up_at=None) | Q(given_up_at__lt=F("last_at")))
        return [self.failure(row) for row in standing.order_by("-last_at", "pk")[:most]]


def _deliveries() -> QuerySet[Any]:
    """Return deliveries of webhooks that failed at least once."""
    last = WebhookAttempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")
    rows = WebhookDelivery.objects.filter(~Q(state="delivered"), attempts__gt=0).annotate(
        status=Subquery(last.values("status")[:1]),
        problem=Subquery(last.values("problem__code")[:1]),
        last_at=Coalesce(Subquery(last.values("at")[:1]), "created_at"),
    )
    return rows.select_related("endpoint").defer("body")


def _delivery(row: Any) -> Failure:
    return Failure(
        id=row.pk,
        name=WEBHOOKS,
        about=row.event,
        attempts=row.attempts,
        error=f"HTTP {row.status}" if row.status else row.problem or UNFORESEEN,
        last_at=row.last_at,
        due_at=row.next_at,
        first_at=row.created_at,
        to=urlsplit(row.endpoint.address).hostname or "",  # a path may hold a secret
        named={"": str(row.about)} if row.about else {},
    )


def _harvests() -> QuerySet[Any]:
    """Return harvests that failed, without those that people paused before the platform did."""
    last = Fetching.objects.filter(harvest=OuterRef("pk")).order_by("-at")
    by_hand = Q(state=Harvest.State.PAUSED, failures__lt=MOST_FAILURES)
    return Harvest.objects.filter(~by_hand, failures__gt=0).annotate(
        problem=Subquery(last.values("problem__code")[:1]),
        last_at=Coalesce(Subquery(last.values("at")[:1]), "created_at"),
    )


def _harvest(row: Any) -> Failure:
    return Failure(
        id=row.pk,
        name=HARVESTS,
        about=row.name,
        attempts=row.failures,
        error=row.problem or UNFORESEEN,
        last_at=row.last_at,
        due_at=row.due_at,
        first_at=row.last_at,
        to=urlsplit(row.address).hostname or "",
        named={"organisation": str(row.organisation_id)},
    )


def _imports() -> QuerySet[Any]:
    rows = Import.objects.filter(problem__code="import-failed", state__in=("refused", "done"))
    rows = rows.annotate(last_at=Coalesce("ended_at", "created_at"))
    return rows.defer("mapping", "columns", "unknown_values")


def _import(row: Any) -> Failure:
    return Failure(
        id=row.pk,
        name=IMPORTS,
        about=row.file_name,
        attempts=row.attempts,
        error=row.problem["code"],
        last_at=row.last_at,
        due_at=None,
        first_at=row.created_at,
        named={"organisation": str(row.organisation_id)},
    )


def _files(name: str) -> QuerySet[Any]:
    rows = FILES[name]._default_manager.filter(state=FileJob.State.FAILED)
    return rows.annotate(last_at=Coalesce("ended_at", "worked_at", "created_at")).select_related("user")


def _file(name: str, row: Any) -> Failure:
    return Failure(
        id=row.pk,
        name=name,
        about="",
        attempts=row.attempts,
        error="file-failed",
        last_at=row.last_at,
        due_at=None,
        first_at=row.created_at,
        to=row.user.email,
    )


OTHERS: Mapping[str, Source] = {
    WEBHOOKS: Source(_deliveries, _delivery),
    HARVESTS: Source(_harvests, _harvest),
    IMPORTS: Source(_imports, _import),
    **{name: Source(partial(_files, name), partial(_file, name)) for name in FILES},
}


def _present() -> list[str]:
    """Return the names of the sources that have failures, perhaps only such as were given up."""
    first, *others = (
        source.rows()
        .order_by()
        .values(what=Value(name))
        .annotate(number=Count("pk"))
        .values_list("what", "number")
        for name, source in OTHERS.items()
    )
    return [name for name, number in first.union(*others, all=True) if number]
