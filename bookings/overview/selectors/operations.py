"""What operators look at: queues, what is due of each job, when it last ran, what failed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Self

from celery import current_app
from django.db.models import Count, Min, QuerySet

from accounts.models import OutboxMessage
from accounts.selectors.jobs import Entry, Failure, Queue, failures, queues, runs
from bookings.catalogue.selectors.holds import lapsed
from bookings.charging.selectors.melting import fees_to_melt
from bookings.hours.models import DirtyDay
from bookings.plans.domain.waiting import LOOK_EVERY
from bookings.plans.selectors.waiting import ended_wishes, open_wishes, unoffered
from bookings.pricing.selectors.charges import undisputed
from bookings.record.domain.retention import RETENTION, Kept
from bookings.record.models import Reservation
from bookings.settlement.selectors.statements import months_to_draw
from bookings.usage.selectors.sessions import ways_to_end
from instruments.models import Harvest, Import


@dataclass(frozen=True)
class Work:
    """What of a job (an entry of the timetable) is due: how much, and since when."""

    name: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Operations:
    """Everything of one moment."""

    queues: list[Queue]
    work: list[Work]
    entries: list[Entry]
    failures: list[Failure]
    retention: tuple[Kept, ...] = RETENTION

    @property
    def troubles(self) -> int:
        """How many things need attention."""
        return Troubles.among(self.queues, self.entries).number


@dataclass(frozen=True)
class Troubles:
    """Entries of the timetable that somebody should look at, and queues of which things were given
    up."""

    entries: list[Entry]
    queues: list[Queue]

    @classmethod
    def among(cls, queues: Iterable[Queue], entries: Iterable[Entry]) -> Self:
        return cls(
            [entry for entry in entries if entry.is_overdue or entry.is_broken],
            [queue for queue in queues if queue.failed],
        )

    @property
    def number(self) -> int:
        """How many things need attention."""
        return len(self.entries) + sum(queue.failed for queue in self.queues)


def load_troubles(now: datetime) -> Troubles:
    """Return what needs attention, without what `load_operations` loads besides. Four
    statements."""
    return Troubles.among(queues(now), runs(current_app.conf.beat_schedule, now))


def load_operations(now: datetime, failing: str = "") -> Operations:
    """Return what operators look at; `failing`: only failures of this kind or job."""
    return Operations(
        queues=queues(now),
        work=load_work(now),
        entries=runs(current_app.conf.beat_schedule, now),
        failures=failures(failing),
    )


def load_work(now: datetime) -> list[Work]:
    """Of each kind of job what is due. A statement each; three for bookings to complete."""
    work = [Work(name, *_due(rows(now), field)) for name, (rows, field) in _DUE.items()]
    dirty = DirtyDay.objects.aggregate(n=Count("pk"), oldest=Min("date"))
    work.append(Work("hours", dirty["n"], _midnight(dirty["oldest"])))
    months = months_to_draw(now)
    oldest = min((month for _, month in months), default=None)
    work.append(Work("statements", len(months), _midnight(oldest)))
    return work


def _due(rows: "QuerySet | list[QuerySet]", field: str) -> tuple[int, datetime | None]:  # type: ignore[type-arg]
    parts = [
        part.order_by().aggregate(n=Count("pk"), oldest=Min(field))
        for part in (rows if isinstance(rows, list) else [rows])
    ]
    dates = [part["oldest"] for part in parts if part["oldest"]]
    return sum(part["n"] for part in parts), min(dates, default=None)


def _midnight(day: object) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None  # type: ignore[arg-type]


def _looks(now: datetime) -> "QuerySet":  # type: ignore[type-arg]
    return unoffered(open_wishes(now), now).filter(looked_at__lte=now - LOOK_EVERY)


def _effects(now: datetime) -> "QuerySet":  # type: ignore[type-arg]
    return OutboxMessage.objects.filter(done_at=None, due_at__lte=now)


_DUE: dict[str, tuple[Callable[[datetime], "QuerySet | list[QuerySet]"], str]] = {  # type: ignore[type-arg]
    "carry out effects": (lambda now: _effects(now).filter(lane="effects"), "due_at"),
    "deliver messages": (
        lambda now: _effects(now).filter(lane__in=["sign-in", "letters"]),
        "due_at",
    ),
    "make calls": (lambda now: _effects(now).filter(lane="calls"), "due_at"),
    "lapse reservations": (lapsed, "expires_at"),
    "complete reservations": (
        lambda now: [Reservation.objects.filter(way) for way in ways_to_end(now)],
        "end_at",
    ),
    "final charges": (undisputed, "open_until"),
    "melting fees": (fees_to_melt, "reservation__end_at"),
    "settle waiting": (ended_wishes, "latest"),
    "look for waiting": (_looks, "looked_at"),
    "imports": (
        lambda now: Import.objects.filter(state__in=["reading", "applying"]),
        "created_at",
    ),
    "harvests": (lambda now: Harvest.objects.filter(state="active", due_at__lte=now), "due_at"),
}
