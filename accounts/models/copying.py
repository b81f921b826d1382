"""Writing many rows of one table at a time."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import JSONField, Model


def rows_copy(rows: Sequence[Model]) -> None:
    """As `bulk_create`, with COPY: for thousands of rows it takes a fraction of the time, as there
    is no statement to be written, split and planned. Every constraint and trigger holds."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = [f for f in meta.concrete_fields if f is not meta.auto_field and not f.generated]
    # The driver knows how to write the rest as it stands.
    prepared = [
        (number, field)
        for number, field in enumerate(fields)
        if isinstance(field, JSONField) or field.get_internal_type() not in connection.data_types
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN") as out,
    ):
        for row in rows:
            values = [getattr(row, field.attname) for field in fields]
            for number, field in prepared:
                values[number] = field.get_db_prep_save(values[number], connection)
            out.write_row(values)
