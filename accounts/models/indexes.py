"""Indexes of tables that grow."""

from typing import Any

from django.contrib.postgres import operations


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Build an index while rows are written, in a migration that is no transaction (`atomic = False`). It
    waits for transactions that began before, which keeps nobody from writing; an index that an earlier
    attempt left unfinished is rebuilt."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute("SET lock_timeout = 0")
        self.database_backwards(app_label, schema_editor, to_state, from_state)
        # By these words squawk tells it from Django's, which cannot be started again.
        usual = schema_editor.sql_create_index_concurrently
        words = usual.replace("CONCURRENTLY %(name)s", "CONCURRENTLY IF NOT EXISTS %(name)s")
        schema_editor.sql_create_index_concurrently = words
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.execute("RESET lock_timeout")
