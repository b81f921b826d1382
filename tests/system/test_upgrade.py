"""From the last release to this one: the last one serves while this one migrates, and this one
carries out what the last one has queued.

Of the last release a recording is kept (tests/data, made by tests/system/recording.py on its own
code): the statements with which it serves, and a row of its outbox of each kind with the world
around it and what it did about it. Its tables are those of each app's first migration.
"""

import json
import lzma
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from difflib import unified_diff
from itertools import count, takewhile
from random import Random
from select import select
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.db import connection
from django.db.migrations import Migration
from psycopg import sql

from accounts.models import Message, OutboxMessage
from accounts.models.indexes import AddIndexConcurrently
from bookings.models import WebhookEndpoint
from bookings.overview.services.effects import effects_carry_out
from config.local.ports import any_free
from config.operations.backups import _bundled
from config.settings import DATABASE_SESSION
from tests.architecture.test_migrations import LOADER, NEW
from tests.bookings.messaging.services.test_webhooks import Receiver, receiver, server  # noqa: F401
from tests.flows.installation import HOST, ROOT, Post, database, documented, manage, psql, until
from tests.system.conftest import run
from tests.system.test_pooler import root_of

RELEASE = ROOT / "tests/data/release_0_2_0.jsonl.xz"
with lzma.open(RELEASE, "rt", encoding="utf-8") as recording:
    SERVED, *EFFECTS = map(json.loads, recording)


def put(cursor: Any, rows: dict[str, list[str]]) -> None:
    """Rows of the last release in tables that may have more columns by now."""
    cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers
    for table, lines in rows.items():
        names = sql.SQL(", ").join(map(sql.Identifier, json.loads(lines[0])))
        insert = sql.SQL(
            "INSERT INTO {table} ({names})"
            " SELECT {names} FROM json_populate_recordset(NULL::{table}, {rows}::json)"
        ).format(table=sql.Identifier(table), names=names, rows=f"[{','.join(lines)}]")
        cursor.execute(insert)
    cursor.execute("SET LOCAL session_replication_role = origin")


def serve(link: psycopg.Connection[Any], step: str) -> None:
    """The statements of a step, each with as many rows as it had in the last release."""
    for statement, rows in SERVED["steps"][step]:
        done = link.execute(statement)
        assert rows in (None, done.rowcount), (step, statement)


def connected(address: str) -> psycopg.Connection[Any]:
    """As a process of the last release is."""
    options = " ".join(f"-c {name}={value}" for name, value in DATABASE_SESSION.items())
    return psycopg.connect(address, options=options)


# The tables of the last release: of each app of ours the first migration.
FIRST = """
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from accounts.selectors.guards import APPS
from tests.architecture.test_migrations import LOADER
executor = MigrationExecutor(connection)
graph = executor.loader.graph = LOADER.graph
ours = {app: graph.root_nodes(app) for app in APPS}
executor.migrate([one for leaf in graph.leaf_nodes() for one in ours.get(leaf[0], [leaf])])
"""
# One after the other, as they are told; what each failed with.
MIGRATE = """
import sys
from django.core.management import call_command
from django.db import OperationalError
for line in sys.stdin:
    try:
        call_command("migrate", *line.split(), verbosity=0)
    except OperationalError as error:
        print(error.__cause__.sqlstate, flush=True)
    else:
        print(flush=True)
"""
# What this release does until somebody goes back to the last one.
ACT = f"""
from datetime import timedelta
from django.test import Client
from django.utils import timezone
from accounts.models import User
from bookings.hours.services.hours import hours_roll_up
from instruments.register.models import Instrument
now = timezone.now()
web = Client(headers={{"host": "{HOST}"}})
web.force_login(User.objects.get(name="Wang Li"))
day = (now + timedelta(7 - now.weekday())).date()  # the next Monday
told = {{
    "instrument": str(Instrument.objects.get(name="Transmission electron microscope").pk),
    "start": f"{{day}}T10:00:00+08:00", "end": f"{{day}}T12:00:00+08:00",
    "service_mode": "self", "purpose": {{"code": "research", "text": "x"}},
}}
for key in ("new1", "new2"):
    answer = web.post("/api/v1/reservations/", told, "application/json", secure=True,
        headers={{"Idempotency-Key": key}})
    print(answer.status_code, answer.content.decode())
    told["start"], told["end"] = f"{{day}}T14:00:00+08:00", f"{{day}}T15:00:00+08:00"
cancel = f"/api/v1/reservations/{{answer.json()['id']}}/cancel/"
answer = web.post(cancel, {{}}, "application/json", secure=True)
print(answer.status_code)
hours_roll_up(since=None, until=None, now=now)
"""
# At once, noting the tables that are locked together.
MIGRATE_ALL = """
from django.core.management import call_command
from tests.accounts.models.test_steps import noting_locks
with noting_locks() as held:
    call_command("migrate", verbosity=1)
print("locked together:", [sorted(tables) for tables in held.values() if len(tables) > 1])
print("steps with a lock:", len(held))
"""
CARRY_OUT = """
from datetime import datetime
from accounts.models import OutboxMessage
from bookings.overview.services.effects import effects_carry_out
effects_carry_out(now=datetime.fromisoformat("{now}"))
print(*OutboxMessage.objects.exclude(last_error="").values_list("kind", "last_error"))
"""
PLAN = [  # as `migrate` takes them
    NEW[".".join(node)]
    for node in dict.fromkeys(
        node for leaf in LOADER.graph.leaf_nodes() for node in LOADER.graph.forwards_plan(leaf)
    )
    if ".".join(node) in NEW
]
NEVER_WAIT = {
    *("accounts.0016_leases", "instruments.0015_measurands"),  # tables that name no other
    *("accounts.0022_announcements", "accounts.0023_address_changes", "accounts.0025_directories"),
    # Of tables that the last release does not have.
    *("bookings.0036_receipt_sent", "bookings.0037_promised_years"),
    *("bookings.0039_reading_correction", "bookings.0040_answer_files_created"),
    *("bookings.0041_links_of_hosts", "bookings.0042_links_of_hosts_filled"),
    *("bookings.0043_need_reader_addresses", "bookings.0044_need_reader_addresses_index"),
    *("bookings.0048_safety_sheets_index", "bookings.0049_bid_terms", "bookings.0050_conversation_of_bids"),
    *("bookings.0053_fault_repairs", "bookings.0056_faults_at_kiosks", "bookings.0061_report_formats"),
    *("bookings.0062_enquiries_put_aside", "bookings.0063_questions_at_booking"),
    *("bookings.0064_sample_lead_days", "bookings.0073_returned_transfers"),
    *("bookings.0074_bank_files_taken_back", "bookings.0075_holding_periods"),
    *("bookings.0079_availability_items", "bookings.0085_more_modified_indexes"),
    "instruments.0029_house_rules_on_behalf",
    *("bookings.0045_words", "instruments.0023_words"),  # names alone
    *("bookings.0052_plainer_choices", "instruments.0026_plainer_choices"),  # names alone
    "instruments.0024_techniques_of_entries",  # rows that only the search writes
}
INDEXES = {
    operation.index.name
    for migration in PLAN
    if f"{migration.app_label}.{migration.name}" not in NEVER_WAIT
    for operation in migration.operations
    if isinstance(operation, AddIndexConcurrently)
}
# What a page reads in a transaction, and the migrations alter or name.
READ_TOGETHER = [
    *("instruments_instrument", "instruments_facility", "instruments_bookingpolicy"),
    *("accounts_user", "accounts_organisation", "accounts_region"),
    *("bookings_reservation", "bookings_closure"),
]
# Statements that take a whole table: who reads it, or writes into it, waits behind them.
TAKES_TABLE = "ALTER TABLE|CREATE TRIGGER|DROP INDEX (?!CONCURRENTLY)"
# Alters a table: who reads that waits behind it.
ALTERS, ALTERED = "bookings.0021_sums_of_hours", "bookings_dirtymonths"


def test_the_last_release_serves_while_this_one_migrates() -> None:
    """There always is a transaction that has written into every table and has not ended. Whenever
    a migration waits for it, the last release makes a booking; only then it ends. Where a statement
    takes a whole table the booking is made afterwards: what needs the table waits with it, not for
    long, as the migration lets it go first and tries again."""
    with database("commons_upgrade") as (owner, web), ExitStack() as stack:
        post, mail_port = Post(), any_free()
        mails = Controller(post, hostname="127.0.0.1", port=mail_port)
        mails.start()
        stack.callback(mails.stop)
        env = os.environ | {
            "LOCAL_MODE": "0",
            "DATABASE_URL": owner,
            "SECRET_KEY": "known to this test alone " * 3,
            "SITE_URL": f"https://{HOST}",
            "MAIL_PORT": str(mail_port),
        }
        done = manage(env, "shell", "-v0", "-c", FIRST)
        assert done.returncode == 0, done.stderr
        psql(owner, documented("commons_upgrade")[1])
        watch = stack.enter_context(psycopg.connect(root_of(owner), autocommit=True))
        with watch.transaction():
            put(watch, SERVED["rows"])
        names = watch.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        lock = f"LOCK TABLE {', '.join(name for (name,) in names)} IN ROW EXCLUSIVE MODE"

        def writer() -> psycopg.Connection[Any]:
            link = psycopg.connect(root_of(owner))
            link.execute(lock)
            return link

        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "manage.py", "shell", "-v0", "-c", MIGRATE],
                env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        stack.callback(process.kill)
        orders, answers = process.stdin, process.stdout
        assert orders and answers

        def migrate(migration: Migration) -> None:
            print(migration.app_label, migration.name, file=orders, flush=True)

        def waits(link: psycopg.Connection[Any]) -> str:
            """The migration's statement, as soon as it waits for that transaction; none when the
            migration has ended."""
            blocked = "SELECT query FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"

            def statement() -> str:
                return "".join(q for (q,) in watch.execute(blocked, [link.info.backend_pid]))

            until(lambda: statement() or select([answers], [], [], 0)[0], "the migration")
            return statement()

        waited, built = set(), set()
        for migration in PLAN:
            link = writer()
            migrate(migration)
            if str(migration) == ALTERS:  # it lets others go first when it has waited too long
                assert "ALTER TABLE" in waits(link)
                with connected(web) as reader:
                    reader.execute(f"SELECT * FROM {ALTERED}")
            while statement := waits(link):
                waited.add(str(migration))
                built |= {name for name in INDEXES if f'"{name}"' in statement}
                if not re.search(TAKES_TABLE, statement):  # else who needs the table waits as long
                    with closing(connected(web)) as booking:
                        serve(booking, "book")
                if migration.atomic:
                    break
                if "CONCURRENTLY" in statement:
                    ended, link = link, writer()
                    ended.close()
                else:  # whoever writes next waits until it has the table
                    link.close()
                    link = writer()
            link.close()
            assert answers.readline() == "\n"
            with closing(connected(web)) as booking:
                serve(booking, "book")
        assert (NEW.keys() - waited, built) == (NEVER_WAIT, INDEXES)

        with connected(web) as link:
            for step in SERVED["steps"]:
                serve(link, step)
                link.commit()
        env["DATABASE_URL"] = web
        done = manage(env, "shell", "-v0", "-c", CARRY_OUT.format(now=SERVED["now"]))
        assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
        assert "Cryo-EM" in post.to("sun@ustc.example")


def made(address: str) -> list[str]:
    """The tables of a database, as SQL, and what it notes of migrations."""
    words = ("--schema-only", "--no-owner", "--no-privileges", "--restrict-key=x", address)
    with connected(address) as link:
        noted = link.execute("SELECT app || ' ' || name FROM django_migrations ORDER BY 1").fetchall()
    return [*run(_bundled("pg_dump") or "", *words).splitlines(), *(name for (name,) in noted)]


THINKS = 0.2  # seconds between what somebody asks, so that the machine does other things, too
BUSY = {"40P01", "55P03", "57014"}  # answered with 503 and Retry-After (config/pages/errors.py)


class Clients:
    """Who uses the last release while the tables change under it: what was answered, what was answered after
    it was tried again, what failed."""

    def __init__(self, address: str) -> None:
        self.address, self.is_over, self.booked = address, Event(), list[str]()
        self.answered, self.retried, self.failed = Counter[str](), Counter[str](), list[str]()

    def read(self, rounds: Iterable[int] = count(1)) -> None:
        """Read its pages and its API, one after the other."""
        with connected(self.address) as link:
            for _ in takewhile(lambda _: not self.is_over.is_set(), rounds):
                for step in ("read", "pages"):
                    self._ask(link, step, SERVED["steps"][step])
                    sleep(THINKS)

    def book(self, days: Iterable[int] = count(5_000)) -> None:
        """Book a day after the other, years after what this release books."""
        text = json.dumps(SERVED["rows"])
        told = " ".join(statement for statement, _ in SERVED["steps"]["book"])
        made = [one for one in {*re.findall(r"\b[0-9a-f]{32}\b", told)} if str(UUID(one)) not in text]
        (reservation,) = re.findall(r'INSERT INTO "bookings_reservation" .*? VALUES \(\'(\w{32})', told)
        with connected(self.address) as link:
            for day in takewhile(lambda _: not self.is_over.is_set(), days):
                new = {one: uuid4() for one in made}
                words = {"2026-03-06": str(date(2026, 3, 6) + timedelta(day)), "'k1'": f"'{uuid4()}'"}
                words |= {one: other.hex for one, other in new.items()}
                words |= {str(UUID(one)): str(other) for one, other in new.items()}
                statements = [
                    (_replaced(statement, words), rows) for statement, rows in SERVED["steps"]["book"]
                ]
                if self._ask(link, "book", statements):
                    self.booked.append(str(new[reservation]))
                sleep(THINKS)

    def _ask(self, link: Any, step: str, statements: list[tuple[str, int | None]]) -> bool:
        """Carry out the statements; again, as long as the answer is to try again."""
        while True:
            try:
                for statement, rows in statements:
                    done = link.execute(statement)
                    assert not statement.startswith("INSERT") or done.rowcount == rows, statement
                link.commit()
            except psycopg.Error as error:
                link.rollback()
                if error.sqlstate in BUSY:
                    self.retried[f"{step}: {error.sqlstate}"] += 1
                    sleep(1)
                    continue
                self.failed.append(f"{step}: {error}")
                return False
            self.answered[step] += 1
            return True


def _replaced(statement: str, words: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], statement)


def went_back(env: dict[str, str], web: str) -> None:
    """This release works for a while; then the last one reads, books and rolls up hours on its tables."""
    done = manage(env, "shell", "-v0", "-c", ACT)
    told = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert (done.returncode, told) == (0, ["201", "201", "200"]), done.stdout + done.stderr
    back = Clients(web)
    back.book(range(20_000, 20_013))
    back.read(range(5))
    assert (back.failed, back.answered) == ([], {"book": 13, "read": 5, "pages": 5})
    with closing(connected(web)) as link:
        for step in ("cancel", "check in", "check out", "workers: settle, lapse, tell", "workers: charge"):
            for statement, _ in SERVED["steps"][step]:
                link.execute(statement)


def test_who_reads_and_books_during_the_migrations_notices_nothing(db: None) -> None:
    """Readers of two or three tables a transaction, in any order, are let through, and so are
    writers, and who reads pages and books; no transaction of a migration locks two tables that were
    there. The migrations end without help, and with what an empty database gets at once."""
    with database("commons_beside") as (owner, web):
        env = os.environ | {
            "LOCAL_MODE": "0",
            "DATABASE_URL": owner,
            "SECRET_KEY": "known to this test alone " * 3,
            "SITE_URL": f"https://{HOST}",
        }
        done = manage(env, "shell", "-v0", "-c", FIRST)
        assert done.returncode == 0, done.stderr
        psql(owner, documented("commons_beside")[1])
        with psycopg.connect(root_of(owner)) as link:
            put(link.cursor(), SERVED["rows"])
        with connected(web) as link:
            for step in takewhile(lambda step: step != "read", SERVED["steps"]):
                serve(link, step)
                link.commit()
        clients = Clients(web)
        chance = Random(1)
        orders = [chance.sample(READ_TOGETHER, 3) for _ in range(6)]

        def read(tables: list[str]) -> int:
            rounds = 0
            with connected(web) as link:
                while not clients.is_over.is_set():
                    with link.transaction():
                        for table in tables:
                            link.execute(f"SELECT count(*) FROM {table}")
                            sleep(0.02)
                    with link.transaction():
                        for table in tables:
                            link.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")  # as a write
                            sleep(0.02)
                    rounds += 1
            return rounds

        with ThreadPoolExecutor(len(orders) + 3) as pool:
            readers = [pool.submit(read, tables) for tables in orders]
            people = [pool.submit(act) for act in (clients.read, clients.read, clients.book)]
            try:
                done = manage(env, "shell", "-v0", "-c", MIGRATE_ALL, patience=1800)
            finally:
                clients.is_over.set()
            print(done.stdout[-9000:])
            print(f"answered {dict(clients.answered)}, tried again {dict(clients.retried)}")
            assert done.returncode == 0, done.stderr[-2000:]
            assert min(reader.result() for reader in readers) > 0
            assert [one.result() for one in people] == [None] * 3
        assert "locked together: []" in done.stdout, done.stdout[-3000:]
        assert clients.failed == []
        assert min(clients.answered[step] for step in ("read", "pages", "book")) > 0
        went_back(env | {"DATABASE_URL": web}, web)
        with connected(owner) as link:
            kept = (
                "SELECT count(*) FROM bookings_reservation JOIN bookings_occupancy o ON o.reservation_id = "
            )
            kept += "bookings_reservation.id WHERE bookings_reservation.id = ANY(%s::uuid[])"
            assert link.execute(kept, [clients.booked]).fetchone() == (len(clients.booked),)
            notes = link.execute("SELECT count(*) FROM django_migrations WHERE name LIKE '% step %'")
            assert notes.fetchone() == (0,)
        at_once = made(root_of(f"/{connection.settings_dict['NAME']}"))
        assert [*unified_diff(at_once, made(root_of(owner)), n=0)] == []


@pytest.mark.parametrize("effect", EFFECTS, ids=[effect["kind"] for effect in EFFECTS])
def test_this_release_carries_out_what_the_last_one_has_queued(
    effect: dict[str, Any],
    receiver: Receiver,  # noqa: F811
    db: None,
) -> None:
    now = datetime.fromisoformat(effect["now"])
    with connection.cursor() as cursor:
        put(cursor, effect["rows"])
    WebhookEndpoint.objects.update(address=receiver.address)
    OutboxMessage.objects.exclude(pk=effect["row"]).update(done_at=now)
    OutboxMessage.objects.filter(pk=effect["row"]).update(due_at=now)
    known = list(Message.objects.values_list("pk", flat=True))
    effects_carry_out(now=now, most=1)
    row = OutboxMessage.objects.get(pk=effect["row"])
    told = Message.objects.exclude(pk__in=known).values_list("kind", "user_id")
    # It stores an event where the last release had nobody to tell.
    outcome = "done" if effect["kind"] == "instrument.published" else effect["outcome"]
    assert (row.last_error, row.outcome) == ("", outcome)
    assert sorted([kind, str(user)] for kind, user in told) == effect["messages"]
    assert sorted(letter.to[0] for letter in mail.outbox) == effect["mails"]
