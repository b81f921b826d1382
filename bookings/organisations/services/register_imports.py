"""Importing regions and organisations from a file: all of it, or nothing.

A file is carried out row by row by the services that create and change one record, in one transaction; a
preview does the same and is rolled back. A file that is sent twice changes nothing the second time.
"""

from collections.abc import Callable

from django.db import transaction

from accounts.domain.errors import FieldProblem, Invalid, Refused, invalid
from accounts.domain.organisations import same_place, scheme_of
from accounts.domain.roles import By, Place
from accounts.models import Organisation, Region
from accounts.permissions import require, require_somewhere
from accounts.services.organisations import (
    organisation_change,
    organisation_create,
    region_change,
    region_create,
)
from bookings.organisations.domain import register_files
from bookings.plans.adapters.tables import Fields, read_table
from bookings.plans.domain.imports import ImportRow
from instruments.reading.domain.delimited import RECOGNISED, FileRefused

type Act = Callable[[By, ImportRow], register_files.Outcome]


def organisations_import(by: By, *, content: bytes, dry_run: bool = False) -> register_files.RegisterReport:
    """Create and change the organisations of a file: coordinators those of their regions, administrators all.
    Raises `RegisterRefused` with every row's outcome if a row is refused, and then writes nothing; `Invalid`
    (`file`) if it is no table of organisations."""
    require_somewhere(by.actor, "manage-organisations")
    return _import(by, content, register_files.organisation_fields, _organisation, dry_run)


def regions_import(by: By, *, content: bytes, dry_run: bool = False) -> register_files.RegisterReport:
    """Create and change the regions of a file, for administrators; parents come before the regions in
    them."""
    require(by.actor, "administer", Place(None))
    return _import(by, content, register_files.region_fields, _region, dry_run)


def _import(by: By, content: bytes, fields: Fields, act: Act, dry_run: bool) -> register_files.RegisterReport:
    try:
        table = read_table(content, encoding=RECOGNISED, fields=fields)
    except FileRefused as refused:
        raise invalid("file", refused.code, **refused.numbers) from None
    outcomes: list[register_files.Outcome] = []
    lines: dict[str, int] = {}
    with transaction.atomic():
        for row in table.rows:
            outcome = _carried_out(by, row, lines, act)
            lines.setdefault(row.text("code"), row.line)
            outcomes.append(outcome)
        report = register_files.RegisterReport(tuple(outcomes), table.ignored)
        if dry_run or report.refused:
            transaction.set_rollback(True)
    if report.refused and not dry_run:
        raise register_files.RegisterRefused(report)
    return report


def _carried_out(by: By, row: ImportRow, lines: dict[str, int], act: Act) -> register_files.Outcome:
    code, name = row.text("code"), row.text("name") or row.text("name_zh")
    problems: tuple[FieldProblem, ...]
    if row.problem is not None:
        problems = (FieldProblem("", row.problem.reason, row.problem.numbers),)
    elif not code:
        problems = (FieldProblem("code", "required"),)
    elif code in lines:
        problems = (FieldProblem("code", "repeated-in-line", {"line": lines[code]}),)
    else:
        try:
            with transaction.atomic():
                return act(by, row)
        except Invalid as refused:
            problems = refused.problems
        except Refused as refused:
            problems = (FieldProblem("", refused.code, refused.numbers),)
    return register_files.Outcome(
        row.line, register_files.Result.REFUSED, code[:40], name[:200], problems=problems
    )


def _organisation(by: By, row: ImportRow) -> register_files.Outcome:
    code, values = row.text("code"), register_files.organisation_values(row.texts)
    named = row.text("region")
    region = _region_named(named, "region") if named else None
    present = Organisation.objects.select_related("region").filter(code=code).first()
    if present is None:
        if region is None:
            raise invalid("region", "required")
        values.setdefault("name", values.get("name_zh", ""))
        values.setdefault("kind", "")
        created = organisation_create(by, code=code, region=region, **values)
        return register_files.Outcome(row.line, register_files.Result.NEW, created.code, created.name)
    if region is not None and region.pk != present.region_id:
        raise invalid("region", "lies-elsewhere", region=present.region.code)
    before = {name: getattr(present, name) for name in values}
    changed = organisation_change(by, organisation_id=present.pk, **values)
    return _compared(row, changed, before)


def _region(by: By, row: ImportRow) -> register_files.Outcome:
    code, values = row.text("code"), register_files.region_values(row.texts)
    parent = _region_named(row.text("parent"), "parent") if row.text("parent") else None
    present = Region.objects.select_related("parent").filter(code=code).first()
    if present is None:
        scheme = row.text("scheme") or scheme_of(code)
        created = region_create(by, scheme=scheme, code=code, parent=parent, **values)
        return register_files.Outcome(row.line, register_files.Result.NEW, created.code, created.name)
    if parent is not None:
        values["parent"] = parent
    before = {name: getattr(present, name) for name in values}
    return _compared(row, region_change(by, region_id=present.pk, **values), before)


def _compared(
    row: ImportRow, stored: Organisation | Region, before: dict[str, object]
) -> register_files.Outcome:
    changes = tuple(
        (name, _shown(was), _shown(getattr(stored, name)))
        for name, was in before.items()
        if getattr(stored, name) != was
    )
    result = register_files.Result.CHANGED if changes else register_files.Result.UNCHANGED
    return register_files.Outcome(row.line, result, stored.code, stored.name, changes)


def _shown(value: object) -> object:
    return value.code if isinstance(value, Region) else value


def _region_named(code: str, field: str) -> Region:
    """Return a region by its code, or by the code of the same place in the other scheme; raise `Invalid` if
    there is none."""
    rows = {row.code: row for row in Region.objects.filter(code__in=[code, same_place(code)])}
    region = rows.get(code) or rows.get(same_place(code))
    if region is None:
        raise invalid(field, "unknown-region", region=code)
    return region
