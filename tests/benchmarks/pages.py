"""Times every page and every GET of the API for every role: `python -m tests.benchmarks.pages`.

In the database that DATABASE_URL names, which `tests.benchmarks.volume --with-use` or a run of
`make bench` has built; nothing of it is changed, as all requests lie in a transaction that is
rolled back. Each address of the permission table is asked in this process, without a server, by
each of `ROLES` who may read it, for the records that make it largest. Prints a table, the slowest
first, then what could not be asked and what answered otherwise than the permission table says;
writes `.local/pages.json`. `--only NAME`: addresses with this in their name; `--who ROLE`.
"""

import argparse
import contextlib
import json
import logging
import os
import re
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

OUT = Path(".local/pages.json")
# Our roles, and whose column of the permission table is theirs.
ROLES = {
    "anybody": "",
    "researcher": "wang",
    "manager": "zhao",
    "finance": "lin",
    "coordinator": "coordinator",
    "auditor": "auditor",
    "administrator": "admin",
}
# The same addresses with other questions, which cost more; `<year>` is the year up to today,
# `<from>` one of whole months.
BESIDES = {
    "bookings:catalogue": (
        "?q=microscope", "?sort=price", "?max_price=100&currency=EUR",
        "?free_from=<today>T08:00&minutes=60", "?region=<region-code>",
    ),
    "bookings:hours": tuple(
        f"?by={by}&<year>" for by in ("instrument", "technique", "organisation", "month")
    ),
    "bookings:hours-weeks": ("?by=instrument&<year>",),
    "bookings:hours-payers": ("?<year>",),
    "bookings:hours-flows": ("?<year>",),
    "bookings:hours-demand": ("?<year>",),
    "bookings:hours-days": ("?state=sessions&<year>",),
    "bookings:hours-behind": ("?of=booked&<year>",),
    "bookings:board": ("?view=day",),
    "bookings:calendar": ("?view=month",),
    "api-instruments": (
        "?limit=50&free_from=<today>T08:00:00Z&free_until=<later>T08:00:00Z&minutes=60",
        "?q=microscope",
    ),
    "api-statistics-hours": ("?by=instrument&<from>", "?by=technique&<from>", "?by=month&<from>"),
}  # fmt: skip


@dataclass
class Answered:
    """What one address cost one role: medians of three after one thrown away."""

    page: str
    who: str
    path: str
    ms: float = 0
    cpu_ms: float = 0
    statements: int = 0
    status: str = ""
    kb: int = 0  # most memory in use during it, beyond what was before
    bytes: int = 0
    is_as_listed: bool = True
    times: list[float] = field(default_factory=list)


class TooLongError(Exception):
    """A request took longer than it may."""


class Meter:
    """Counts statements of a request, and ends one that is over its time at the next statement."""

    def __init__(self, limit: float) -> None:
        self.limit, self.until, self.statements = limit, 0.0, 0

    def start(self) -> None:
        self.until, self.statements = time.monotonic() + self.limit, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if time.monotonic() > self.until:
            raise TooLongError
        self.statements += not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))
        return execute(sql, params, many, context)


def measured(client: Any, answered: Answered, meter: Meter) -> None:
    """Ask four times, or, after the first, until that takes longer than two requests may: what the
    first one waits for is often a disk."""
    from django.db import connection, transaction

    took: list[tuple[float, float]] = []
    began = time.monotonic()
    while len(took) < 4 and not (took[1:] and time.monotonic() - began > 2 * meter.limit):
        with transaction.atomic():
            connection.cursor().execute(f"SET LOCAL statement_timeout = '{meter.limit:.0f}s'")
            before = _reset_memory()
            meter.start()
            started, used = time.perf_counter(), time.process_time()
            # A page that is ended answers with an error; a file, half sent, cannot.
            with connection.execute_wrapper(meter), contextlib.suppress(TooLongError):
                answer = client.get(answered.path)
                answered.bytes = len(answer.getvalue())
            took.append((time.perf_counter() - started, time.process_time() - used))
            answered.kb = max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            answered.statements = meter.statements
            transaction.set_rollback(True)
    is_late = took[-1][0] > meter.limit
    answered.status = f"over {meter.limit:.0f} s" if is_late else str(answer.status_code)
    answered.times = [round(seconds * 1000, 1) for seconds, _ in took]
    answered.ms, answered.cpu_ms = (
        round(statistics.median(column) * 1000, 1) for column in zip(*took[1:], strict=True)
    )


def _reset_memory() -> int:
    """Let the most memory ever used be what is used now, where the system can; how much that is."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(only: str, who: str, limit: float) -> tuple[list[Answered], list[str]]:
    """All addresses, and those that could not be asked with why. Ctrl-C ends it early."""
    from django.db import connection, transaction

    from tests.architecture.permission_table import NOT_OURS
    from tests.architecture.test_permissions import ROUTES
    from tests.benchmarks.records import cast

    answers: list[Answered] = []
    missing: dict[tuple[str, str], list[str]] = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        people = cast()
        with contextlib.suppress(KeyboardInterrupt):
            for role in [name for name in ROLES if who in name]:
                for answered in _of_role(role, people, only, Meter(limit), missing):
                    answers.append(answered)
                    print(_line(answered), flush=True)
        transaction.set_rollback(True)
    answers.sort(key=lambda a: -a.ms)
    lacking = [
        f"{name} ({', '.join(roles)}): there is no {word}" for (name, word), roles in sorted(missing.items())
    ]
    others = sorted(name for name in ROUTES if name.startswith(NOT_OURS) and only in name)
    return answers, [*lacking, *(f"{name}: not in the permission table" for name in others)]


def _of_role(
    role: str, people: Any, only: str, meter: Meter, missing: dict[tuple[str, str], list[str]]
) -> Iterator[Answered]:
    from django.test import Client

    from tests.architecture.permission_table import API, PAGES, PEOPLE
    from tests.architecture.test_permissions import address, rows
    from tests.benchmarks.records import Records

    records, client = Records(role, people), Client(raise_request_exception=False)
    if role in people.users:
        client.force_login(people.users[role])
    for method, name, cells in [*rows(PAGES), *rows(API)]:
        cell = cells[PEOPLE.index(ROLES[role])]
        if method != "GET" or only not in name or cell not in {"200", "302"}:
            continue
        try:
            path = address(name, records)
            questions = [path.partition("?")[1] + path.partition("?")[2], *BESIDES.get(name, ())]
            asked = [_of_today(name, question, records) for question in questions]
        except KeyError as error:
            missing.setdefault((name, error.args[0]), []).append(role)
            continue
        for number, question in enumerate(asked):
            shown = questions[number] if number else ""
            answered = Answered(f"{name}{shown}", role, path.partition("?")[0] + question)
            measured(client, answered, meter)
            answered.is_as_listed = answered.status == cell
            yield answered


def _of_today(name: str, path: str, records: Any) -> str:
    """A path of the permission table, which is of March 2026 and of its own few records, with
    dates that lie as far from today, and with records of this world."""
    from tests.factories.moments import NOW

    today = datetime.now(UTC).date()
    until = today.replace(day=1)  # the public has whole months alone
    since = (until - timedelta(days=360)).replace(day=1)
    path = path.replace("<year>", f"since={today - timedelta(days=365)}&until={today}")
    path = path.replace("<from>", f"from={since}&until={until}").replace("<today>", f"{today}")
    path = path.replace("<later>", f"{today + timedelta(days=7)}")
    if name.startswith(("api-statistics", "bookings:hours-export")):
        path = re.sub(r"(from|since)=2026-\d\d-\d\d", rf"\1={since}", path)
        path = re.sub(r"until=2026-\d\d-\d\d", f"until={until}", path)

    def moved(day: re.Match[str]) -> str:
        return f"{date.fromisoformat(day[0]) + (today - NOW.date())}"

    path = re.sub(r"2026-0[2-4]-\d\d", moved, path)
    path = path.replace("service_mode=self", f"service_mode={records['service-mode']}")
    path = path.replace("organisation=ustc", f"organisation={records['host-code']}")
    return re.sub(r"<([a-z-]+)>", lambda word: str(records[word[1]]), path)


def _line(answered: Answered) -> str:
    page = f"{answered.page} ({answered.who})"
    return (
        f"{page:80} {answered.ms:>9} {answered.cpu_ms:>9} {answered.statements:>5}"
        f" {answered.status:>9} {answered.kb:>8}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="addresses with this in their name")
    parser.add_argument("--who", default="", help="roles with this in their name")
    parser.add_argument("--limit", type=float, default=30, help="seconds a request may take")
    asked = parser.parse_args()
    from tests.benchmarks.__main__ import _prepare

    _prepare(os.environ["DATABASE_URL"], urlsplit(os.environ["DATABASE_URL"]).path[1:])
    report(asked.only, asked.who, asked.limit)


def report(only: str, who: str = "", limit: float = 30) -> None:
    """Measure and print; the settings are those of benchmarks."""
    from django.conf import settings

    logging.disable()
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    answers, lacking = measure(only, who, limit)
    print(f"\n{'page (who)':80} {'ms':>9} {'CPU ms':>9} {'stmts':>5} {'status':>9} {'kB':>8}")
    for answered in answers:
        print(_line(answered))
    print("\nNot asked:", *lacking, sep="\n  ")
    otherwise = [a for a in answers if not a.is_as_listed]
    print("\nOtherwise than the permission table says:", *map(_line, otherwise), sep="\n  ")
    OUT.parent.mkdir(exist_ok=True)
    rows = {"answers": [asdict(a) for a in answers], "not asked": lacking}
    OUT.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(f"\n{len(answers)} answers, {len(lacking)} not asked; also in {OUT}")


if __name__ == "__main__":
    main()
