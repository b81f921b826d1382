"""The printed numbers of statements and settlements in SQL, so that lists can be searched for any part of
them."""

from typing import Any

from django.db.models import CharField, F, Func, TextField, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad, Upper


def printed_number(statement: str = "") -> Concat:
    """Return an expression for the number of a statement, or of the one at a path, as it is printed, for
    searching lists."""
    number = Cast(F(f"{statement}number"), CharField())
    return Concat(
        Upper(f"{statement}host__code"),
        Value("-"),
        Cast(F(f"{statement}year"), CharField()),
        Value("-"),
        LPad(number, Greatest(Length(number), Value(4)), Value("0")),
        output_field=TextField(),
    )


def printed_reference() -> Concat:
    """Return an expression for the reference of a settlement as it is printed, for searching lists."""
    month: Any = Func(F("month"), Value("YYYY-MM"), function="to_char", output_field=TextField())
    parts = (F("first__code"), F("second__code"), month, F("currency"))
    dashed = [part for each in parts for part in (Value("-"), each)][1:]
    return Concat(*dashed, output_field=TextField())
