"""Examine what administrators must see at once: the broker, work that nobody takes, mails and failures; and
how the whole installation was when it was last examined."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop as _

from accounts.adapters.broker import broker_problem
from accounts.domain.jobs import LETTERS, SIGN_IN
from accounts.findings import Finding, Findings, State, amber, note, ok, red, remembered
from accounts.models import OutboxMessage
from accounts.selectors.jobs import FAILING, Queue, TimetableEntry, failures, queues, runs
from accounts.work import timetable
from bookings.operations.domain.failures import cause_of
from bookings.operations.messages import PARTS, cause_remedy, cause_title, job
from bookings.operations.selectors.failures import Group, load_groups, load_named

MOST_WAITING = timedelta(minutes=5)  # work is taken within a minute, even if nobody is nudged
MOST_AGE = timedelta(minutes=16)  # of the last examination: the timetable has one every five minutes
LIVE = ("broker", "work", "failures")  # the parts that every home page of an administrator examines
SHOWN = 8  # findings on the home page
# Parts and codes whose failure makes others fail, and what follows from them.
CAUSES = frozenset({"database", "connection", "broker", "disk", "workers", "timetable", "work-waits"})
FOLLOWING = frozenset({"job-late", "examined", "failures"})
RESTART = _("systemctl restart instrument-commons-worker, and see its log")


def broker_findings() -> Findings:
    """Yield whether the broker answers."""
    if problem := broker_problem():
        words = _("the broker does not answer ({why}): background work waits, bookings go on")
        yield red("broker", words, _("start Valkey again; what waits is then done by itself"), why=problem)
    else:
        yield ok("broker", _("the broker answers"))


def work_findings(now: datetime) -> Findings:
    """Yield whether workers take what is due, and how the jobs of the timetable ended. Four statements."""
    found = [*_hanging(queues(now), now), *_late(runs(timetable(), now))]
    yield from found
    if not found:
        yield ok("work", _("workers take what is due"))


def _hanging(rows: list[Queue], now: datetime) -> Findings:
    for lane, of_lane in groupby(sorted(rows, key=attrgetter("lane")), key=attrgetter("lane")):
        late = [row for row in of_lane if row.oldest and now - row.oldest > MOST_WAITING]
        if late:
            words = _("lane {lane}: {count} are due since {since} and no worker takes them")
            since = min(row.oldest for row in late if row.oldest)
            yield red(
                "work-waits", words, RESTART,
                lane=lane, count=sum(row.due for row in late), since=since,
            )  # fmt: skip


def _late(entries: list[TimetableEntry]) -> Findings:
    for entry in entries:
        if entry.is_broken:
            yield red("job-broken", _("{job}: its worker stopped"), RESTART, job=job(entry.name))
        elif entry.has_failed:
            words = _("{job}: it failed in its last run")
            error = entry.run.error.partition("\n")[0][:200] if entry.run else ""
            yield red("job-failed", words, "{error}", job=job(entry.name), error=error)
        elif entry.is_overdue:
            words = _("{job}: it is overdue")
            yield red("job-late", words, _("are beat and a worker running?"), job=job(entry.name))


def failure_findings(groups: list[Group] | None = None) -> Findings:
    """Yield what failed by cause: red where something is not tried again by itself. `groups`: failures by
    cause, where they are read already."""
    found = [_of_group(group) for group in (load_groups() if groups is None else groups)]
    yield from found or [ok("failures", _("nothing has failed"))]


def _of_group(group: Group) -> Finding:
    words = _("{work}: {cause} ({count}, the last {at})")
    make = red if group.ended else amber
    return make(
        "failures",
        words,
        "{remedy}",
        work=job(group.name),
        cause=cause_title(group.cause),
        count=group.number,
        at=group.last_at,
        remedy=cause_remedy(group.cause),
        name=group.name,
        code=group.cause,
    )


def mail_findings() -> Findings:
    """Yield when the last mail was sent, and which failed last, to whom and why. At most eight statements."""
    mails = OutboxMessage.objects.filter(lane__in=(LETTERS, SIGN_IN))
    sent = mails.filter(done_at__isnull=False, outcome="sent").order_by("-done_at").first()
    if sent is None or sent.done_at is None:
        yield note("mail-sent", _("no mail was sent yet"))
    else:
        yield ok("mail-sent", _("the last mail was sent {at}"), at=sent.done_at)
    failed = mails.filter(FAILING).order_by("-tried_at").first()
    if failed is not None:
        named = load_named([row for row in failures(failed.kind) if row.id == failed.pk])
        cause = cause_of(failed.last_error)
        at = failed.tried_at or failed.created_at
        words = _("the last mail that failed: {at} to {to}, {cause}")
        to = named[0].failure.to if named else ""
        yield note(  # the failure itself is a finding of its own part
            "mail-failed", words, "{remedy}",
            at=at, to=to or failed.kind, cause=cause_title(cause),
            remedy=cause_remedy(cause),
        )  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """How things stand: what is wrong (red first), what else was found, and when all was last examined."""

    findings: list[Finding]
    examined_at: datetime | None

    @property
    def wrong(self) -> list[Finding]:
        """Return what is red, then what soon will be; of each the causes first."""
        places = {part: place for place, part in enumerate(PARTS)}
        found = [each for each in self.findings if each.state in (State.RED, State.AMBER)]
        return sorted(
            found, key=lambda each: (each.state is State.AMBER, _depth(each), places.get(each.area, 99))
        )

    @property
    def red(self) -> list[Finding]:
        return [each for each in self.wrong if each.state is State.RED]

    @property
    def number(self) -> int:
        return len(self.wrong)

    @property
    def rest(self) -> int:
        """Return how many of what is wrong a page that shows the first has no room for."""
        return max(0, self.number - SHOWN)

    @property
    def failing(self) -> list[Finding]:
        """Return failures by cause."""
        return [each for each in self.wrong if each.code == "failures"]

    @property
    def backups(self) -> list[Finding]:
        """Return what is known of backups and restores."""
        return [each for each in self.findings if each.code.startswith(("backup", "restore"))]

    @property
    def parts(self) -> Iterator[tuple[str, list[Finding]]]:
        """Return the findings by part, in the order of the parts."""
        places = {part: place for place, part in enumerate(PARTS)}
        rows = sorted(self.findings, key=lambda each: places.get(each.area, len(places)))
        for part, found in groupby(rows, key=attrgetter("area")):
            yield str(PARTS.get(part, part)), list(found)


def _depth(each: Finding) -> int:
    """Return 0 for what makes other things go wrong, 2 for what follows from others, 1 for the rest."""
    if each.area in CAUSES or each.code in CAUSES:
        return 0
    return 2 if each.code in FOLLOWING or each.code.endswith("-unchecked") else 1


def load_standing(now: datetime, groups: list[Group] | None = None) -> Standing:
    """Return what is found at once by looking (`LIVE`), and the rest as the last examination found it.
    `groups`: as for `failure_findings`."""
    at, found = remembered()
    live = [
        *(replace(each, area="broker") for each in broker_findings()),
        *(replace(each, area="work") for each in work_findings(now)),
        *(replace(each, area="failures") for each in failure_findings(groups)),
    ]
    return Standing([*_age(at, now), *live, *(each for each in found if each.area not in LIVE)], at)


def load_health(now: datetime) -> Standing:
    """Return what the whole examination finds, its slow parts as they were when they were last examined."""
    at = remembered()[0]
    return Standing([*_age(at, now), *_doctor().findings()], at)


def examine() -> None:
    """Examine all parts now, which takes seconds, and remember what is found."""
    for _finding in _doctor().examine():
        pass


def _doctor() -> Any:
    """Return what examines the installation; it knows all apps, and none of them imports it."""
    return import_module(settings.DOCTOR)


def _age(at: datetime | None, now: datetime) -> Findings:
    if at is None:
        words = _("workers, mail and files were not examined yet")
        yield replace(note("examined", words, _("press Examine now, or wait five minutes")), area="examined")
    elif now - at > MOST_AGE:
        words = _("workers, mail and files were last examined {at}: no worker does it")
        late = red("examined", words, RESTART, at=at)
        yield replace(late, area="examined")
