"""Records what a release does, for tests/system/test_upgrade.py of the next one. With its own code,

    ARGS="-p tests.system.recording -n 0 tests" .venv/bin/python -m config.local test

writes tests/data/release_VERSION.jsonl.xz. Its first line holds the statements with which
tests/flows/test_served.py is served, and all rows there were before. Each other line is a row of
the outbox, one of each kind that any test carries out: all rows there were before, and what came
of it."""

import json
import lzma
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

FILLED = {"django_migrations", "django_content_type", "auth_permission"}  # by migrating
COLUMNS = """
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
GROUP BY 1
"""
served: dict[str, Any] = {"steps": {}}
effects: dict[str, dict[str, Any]] = {}


def all_rows() -> dict[str, list[str]]:
    """Of each table that has any, as JSON."""
    from django.db import connection

    rows = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for table, names in cursor.fetchall():
            columns = ", ".join(f'"{name}"' for name in names)
            cursor.execute(f'SELECT row_to_json(t)::text FROM (SELECT {columns} FROM "{table}" LIMIT 3000) t')
            lines = [line for (line,) in cursor.fetchall()]
            if lines and table not in FILLED:
                rows[table] = lines
    return rows


@contextmanager
def step(name: str) -> Iterator[None]:
    """Note the statements of a step, with their values and how many rows each had."""
    from django.db import connection

    statements = served["steps"][name] = []

    def note(execute: Any, query: Any, values: Any, many: bool, context: Any) -> Any:
        answer = execute(query, values, many, context)
        plain = psycopg.ClientCursor(connection.connection)
        for each in values if many else [values]:
            rows = None if many else context["cursor"].rowcount
            statements.append([plain.mogrify(query, each), rows])
        return answer

    with connection.execute_wrapper(note):
        yield


def noting(carry_out: Any) -> Any:
    """What carries out a row of the outbox and notes it with what came of it, once of each kind;
    again where nothing came of it."""
    from django.core import mail

    from accounts.models import Message

    def carried_out(row: Any, now: Any) -> Any:
        if effects.get(row.kind, {}).get("outcome", "skipped") != "skipped":
            return carry_out(row, now)
        rows, known = all_rows(), list(Message.objects.values_list("pk", flat=True))
        mails = len(mail.outbox)
        outcome = carry_out(row, now)
        told = Message.objects.exclude(pk__in=known).values_list("kind", "user_id")
        effects[row.kind] = {
            "kind": row.kind,
            "row": str(row.pk),
            "now": now.isoformat(),
            "outcome": outcome,
            "messages": sorted([kind, str(user)] for kind, user in told),
            "mails": sorted(letter.to[0] for letter in mail.outbox[mails:]),
            "rows": rows,
        }
        return outcome

    return carried_out


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note what a test carries out, and what it leaves in the outbox."""
    fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    if not (fixtures or item.get_closest_marker("django_db")):
        return (yield)
    from django.db import transaction

    from accounts.models import OutboxMessage
    from bookings.overview.services import effects as door

    usual, door._carry_out = door._carry_out, noting(door._carry_out)
    try:
        answer = yield
        for row in OutboxMessage.objects.filter(done_at=None).exclude(kind__in=effects):
            with suppress(Exception), transaction.atomic():
                door._carry_out(row, row.due_at)
                transaction.set_rollback(True)
        return answer
    finally:
        door._carry_out = usual


def pytest_sessionfinish() -> None:
    version = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]["version"]
    path = Path(f"tests/data/release_{version.replace('.', '_')}.jsonl.xz")
    lines = [served, *(effects[kind] for kind in sorted(effects))]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
