"""Django's PostgreSQL backend, changed to handle takeovers by a standby, connection poolers and frequent
rollbacks."""

import re
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from psycopg._preparing import Prepare, PrepareManager
from psycopg.pq.abc import PGresult

_FORGETS = re.compile(rb"DROP|ALTER|DISCARD ALL|DEALLOCATE ALL").match


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        given, kept = connection._prepared, _Statements()
        kept.prepare_threshold, kept.prepared_max = given.prepare_threshold, given.prepared_max
        connection._prepared = kept
        return connection

    def chunked_cursor(self) -> Any:
        """Return a server-side cursor inside a transaction, a plain one outside. Outside, the session would
        keep the cursor, but a pooler lends sessions to others; the few rows that libraries (allauth) read so
        are read at once."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def is_usable(self) -> bool:
        """Return whether the connection answers, as is checked before each request, and still leads to the
        primary. A server that was demoted, or is about to be, may keep its sessions alive, but reports its
        state with its answers. A new connection goes to the new primary if the address names several hosts
        with `target_session_attrs=read-write`."""
        if not super().is_usable():
            return False
        if self.alias == "replica":  # which is a standby
            return True
        reported = self.connection.info.parameter_status
        return "on" not in {reported("in_hot_standby"), reported("default_transaction_read_only")}


class _Statements(PrepareManager):
    """Keeps the statements that the server has planned for a connection. The driver forgets all of them at
    each rollback, because a table they use may have been created in what was rolled back. Ours use only
    tables of migrations, and each refusal is a rollback, after which the next request would wait for all
    statements to be planned again."""

    def clear(self) -> bool:
        return False

    def _should_discard(self, prep: Prepare, results: Sequence[PGresult], *_: Any) -> bool:
        return any(_FORGETS(done.command_status or b"") for done in results) and super().clear()
