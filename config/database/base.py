"""PostgreSQL as Django has it, but for what takeovers, poolers and refusals ask of connections."""

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
        """Outside a transaction a session would keep a cursor of the server, and a pooler lends
        sessions to others: what libraries read so there (allauth, a few rows) is read at once."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def is_usable(self) -> bool:
        """Ask whether the connection answers, as each request does first, and look at what the
        server reports by itself with its answers: a primary that was demoted, or is to be, may
        keep its sessions alive. A new connection goes to the new primary where the address names
        several hosts with `target_session_attrs=read-write`."""
        if not super().is_usable():
            return False
        if self.alias == "replica":  # which is a standby
            return True
        reported = self.connection.info.parameter_status
        return "on" not in {reported("in_hot_standby"), reported("default_transaction_read_only")}


class _Statements(PrepareManager):
    """Which statements the server keeps planned for a connection. The driver forgets all of them
    at each rollback, as a table of theirs may have been made in what was rolled back. Ours name
    tables of migrations alone, and each refusal is a rollback: whoever came next would wait until
    everything was planned again."""

    def clear(self) -> bool:
        return False

    def _should_discard(self, prep: Prepare, results: Sequence[PGresult], *_: Any) -> bool:
        return any(_FORGETS(done.command_status or b"") for done in results) and super().clear()
