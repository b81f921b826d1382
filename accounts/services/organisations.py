"""Enter, change and close regions and organisations, and set the invoice details of organisations.

All changes to the tree of regions take one lock, so that two acts cannot make a cycle or enter the same place
twice. Entering an organisation locks the row of its region, which closing the region does as well.
"""

import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import holidays
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction

from accounts import trail
from accounts.domain import organisations as rules
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, invalid
from accounts.domain.invoice_details import ACCOUNT, BANK, masked, parse_invoice_details, told_apart
from accounts.domain.roles import By, Place
from accounts.models import Organisation, OrganisationMove, Region
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.divisions import above, division
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import may_set_invoice_details
from accounts.selectors.rows import visible

REGION_FIELDS = ("name", "name_zh", "time_zone", "currency", "holiday_calendar", "shares")
ORGANISATION_FIELDS = ("name", "name_zh", "kind", "is_small", "ror", *rules.PAPER)
_WAYS_IN = ("scopes", "admits_by_scope", "mail_domains", "admits_by_mail")
_TREE = 7_301_942_613  # the lock of the tree of regions


# Regions


@transaction.atomic
def region_create(by: By, *, scheme: str, code: str, parent: Region | None = None, **values: Any) -> Region:
    """Enter a region below `parent`. For a place in a shipped list, missing values are filled in: names,
    zone, currency, holiday calendar and, as its parent, the nearest region above it that exists. Raise
    `Invalid` for what is still missing; for an unknown currency, zone or holiday calendar; for a code that a
    region of any scheme has, because regions are looked up by it (`code-taken`); and for a province that
    exists under its code of the other list (`same-place`)."""
    require(by.actor, "administer", Place(None))
    _lock_tree()
    region = Region(scheme=rules.scheme_named(scheme), code=rules.region_code(code))
    known = division(region.scheme, region.code)
    if known is not None and parent is None:
        parent = _standing(above(known))
    for name in REGION_FIELDS:
        given = values.pop(name, None)
        if given is None or (given == "" and name in {"name", "time_zone", "currency"}):
            given = getattr(known, name, False if name == "shares" else "")
        setattr(region, name, given)
    if values:
        raise TypeError(f"A region has no {', '.join(values)}.")
    if parent is not None:
        parent = Region.objects.get(pk=parent.pk)  # as it is under the lock
        _require_open_region(parent)
        region.parent = parent
    _check_region(region)
    other = rules.same_place(region.code)
    if other and Region.objects.filter(code=other, closed_at=None).exists():
        raise invalid("code", "same-place", other=other)
    region.lineage = [region.pk, *(parent.lineage if parent else [])]
    _save_once(region)
    trail.record(
        by,
        "region.create",
        region,
        after={
            "scheme": region.scheme,
            "code": region.code,
            "parent": parent.pk if parent else None,
            **{name: getattr(region, name) for name in REGION_FIELDS},
        },
    )
    return region


@transaction.atomic
def regions_enter(by: By, *, codes: Iterable[str], time_zone: str, shares: bool) -> list[Region]:
    """Enter several places of the shipped lists (countries, subdivisions, divisions of China) by their codes,
    all or none. `time_zone` applies to those whose country has several; `shares` to all except countries,
    which only sum up."""
    entered = []
    for code in sorted(codes, key=lambda code: (len(code) > 2, code)):
        scheme = rules.scheme_of(code)
        known = division(scheme, code)
        if known is None:
            raise invalid("codes", "unknown-region", region=code)
        entered.append(
            region_create(
                by,
                scheme=scheme,
                code=code,
                time_zone=known.time_zone or time_zone,
                shares=shares and scheme != rules.COUNTRIES,
            )
        )
    return entered


@transaction.atomic
def region_change(by: By, *, region_id: UUID, **changes: Any) -> Region:
    """Change a region's code, parent or any of REGION_FIELDS; its id and whatever refers to it stay. Regions
    below it move with it, searches are updated, and so are the calendars of its instruments from today on.
    Raise `WrongState` (region-closed), `WrongVersion`, or `Invalid` as in `region_create` and for a parent
    that lies below the region (`below-itself`)."""
    require(by.actor, "administer", Place(None))
    _lock_tree()
    region = _locked_region(by, region_id)
    names = ("code", "parent", *REGION_FIELDS)
    if unknown := set(changes) - set(names):
        raise TypeError(f"A region has no {', '.join(sorted(unknown))}.")
    before = {name: getattr(region, name) for name in names}
    old_lineage = list(region.lineage)
    for name, value in changes.items():
        setattr(region, name, rules.region_code(value) if name == "code" else value)
    if region.parent_id != getattr(before["parent"], "pk", None) and region.parent is not None:
        region.parent.refresh_from_db()
        if region.pk in region.parent.lineage:
            raise invalid("parent", "below-itself")
        _require_open_region(region.parent)
    _check_region(region)
    if not region.shares and before["shares"] and _has_organisations(region):
        raise invalid("shares", "region-has-organisations")
    changed = [name for name in names if getattr(region, name) != before[name]]
    if not changed:
        return region
    other = rules.same_place(region.code)
    if "code" in changed and other and Region.objects.filter(code=other, closed_at=None).exists():
        raise invalid("code", "same-place", other=other)
    region.version += 1
    _save_once(region, [*changed, "version"])
    if "parent" in changed:
        _lineages_recompute(region)
    trail.record(
        by,
        "region.change",
        region,
        before={name: _plain(before[name]) for name in changed},
        after={name: _plain(getattr(region, name)) for name in changed},
        places=((), {*old_lineage, *region.lineage}),
    )
    if {"code", "parent", "holiday_calendar"} & set(changed):
        payload = {"region": str(region.pk), "changed": changed, "code": [before["code"], region.code]}
        key = f"register.region.{region.pk}.{region.version}"
        enqueue([Effect("register.region", key, payload)], now=by.now)
    return region


@transaction.atomic
def region_close(by: By, *, region_id: UUID) -> Region:
    """Close a region for good: nothing more is entered in it or below it. Raise `WrongState` while it
    contains an open organisation (region-has-organisations) or an open region (region-has-regions)."""
    require(by.actor, "administer", Place(None))
    _lock_tree()
    region = _locked_region(by, region_id)
    if _has_organisations(region):
        raise WrongState("region-has-organisations")
    if Region.objects.filter(parent=region, closed_at=None).exists():
        raise WrongState("region-has-regions")
    before = {"shares": region.shares, "closed_at": None}
    region.closed_at, region.shares = by.now, False
    region.version += 1
    region.save(update_fields=["closed_at", "shares", "version"])
    trail.record(by, "region.close", region, before=before, after={"shares": False, "closed_at": by.now})
    return region


def region_problems(region: Region) -> list[FieldProblem]:
    """Return the problems of a region whose currency, time zone or holiday calendar the platform does not
    know."""
    problems = []
    if region.currency not in MINOR_DIGITS:
        problems.append(FieldProblem("currency", "unknown-currency"))
    if region.time_zone not in zoneinfo.available_timezones():
        problems.append(FieldProblem("time_zone", "unknown-time-zone"))
    if region.holiday_calendar and not _is_calendar(region.holiday_calendar):
        problems.append(FieldProblem("holiday_calendar", "unknown-calendar"))
    return problems


def _check_region(region: Region) -> None:
    """Raise `Invalid` with all problems of the region's fields; its names are trimmed in place."""
    problems: list[FieldProblem] = []
    for name in ("name", "name_zh"):
        try:
            text = rules.text_of(name, getattr(region, name), rules.MOST_REGION_NAME)
        except Invalid as problem:
            problems += problem.problems
        else:
            setattr(region, name, text)
    missing = [name for name in ("name", "time_zone", "currency") if not getattr(region, name)]
    problems += [FieldProblem(name, "required") for name in missing]
    problems += [one for one in region_problems(region) if one.field not in missing]
    if problems:
        raise Invalid(problems)


def _lock_tree() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE])


def _locked_region(by: By, region_id: UUID) -> Region:
    """Return an open region with its row locked; raise `NotFound`, `WrongVersion`, `WrongState`."""
    region = visible(Region.objects.select_for_update(), pk=region_id)
    by.require_version(region.version)
    _require_open_region(region)
    return region


def _has_organisations(region: Region) -> bool:
    """Return whether an open organisation lies in the region or is about to move to it."""
    coming = OrganisationMove.objects.filter(region=region, carried_out_at=None, withdrawn_at=None)
    return region.organisations.filter(closed_at=None).exists() or coming.exists()


def _require_open_region(region: Region) -> None:
    if region.closed_at is not None:
        raise WrongState("region-closed")


def _standing(codes: Iterable[str]) -> Region | None:
    """Return the open region that has the first of these codes that any open region has; None if none has
    one."""
    ordered = list(codes)
    rows = {row.code: row for row in Region.objects.filter(code__in=ordered, closed_at=None)}
    return next((rows[code] for code in ordered if code in rows), None)


def _lineages_recompute(region: Region) -> None:
    """Recompute the lineages of a region and of all regions below it."""
    above_it = list(region.parent.lineage) if region.parent else []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE tree (id, lineage) AS (
                SELECT id, id || %s::uuid[] FROM accounts_region WHERE id = %s
                UNION ALL
                SELECT r.id, r.id || t.lineage
                FROM accounts_region r JOIN tree t ON r.parent_id = t.id
            )
            UPDATE accounts_region r SET lineage = t.lineage FROM tree t WHERE r.id = t.id
            """,
            [above_it, region.pk],
        )
    region.lineage = [region.pk, *above_it]


def _is_calendar(name: str) -> bool:
    """Return whether the library of public holidays knows the calendar of this country or subdivision."""
    country, _, subdivision = name.partition("-")
    countries = holidays.list_supported_countries()
    return country in countries and (not subdivision or subdivision in countries[country])


# Organisations


@transaction.atomic
def organisation_create(by: By, *, code: str, region: Region, **values: Any) -> Organisation:
    """Enter an organisation in a region. Coordinators of it or of a region above it, and administrators may
    do this. Raise `Invalid` for missing or malformed values and for a code that is taken; `WrongState`
    (region-closed). Only the platform itself may also set who can join without invitation."""
    require(by.actor, "manage-organisations", Place(None, frozenset(region.lineage)))
    region = Region.objects.select_for_update(no_key=True).get(pk=region.pk)
    _require_open_region(region)
    if not by.actor.is_platform and not region.shares:
        raise invalid("region", "region-shares-nothing")
    ways_in = {name: values.pop(name) for name in _WAYS_IN if by.actor.is_platform and name in values}
    organisation = Organisation(region=region, **ways_in)
    _set_organisation(organisation, {"code": code, **values})
    _save_once(organisation)
    trail.record(
        by,
        "organisation.create",
        organisation,
        after={"code": organisation.code, "region": region.pk}
        | {name: value for name in ORGANISATION_FIELDS if (value := getattr(organisation, name))},
        places=([organisation.pk], region.lineage),
    )
    return organisation


@transaction.atomic
def organisation_change(by: By, *, organisation_id: UUID, **changes: Any) -> Organisation:
    """Change an organisation's code or any of ORGANISATION_FIELDS; its id stays, and its instruments are
    found by the new name. Coordinators of its region or of one above it, and administrators may do this.
    Raise `WrongState` (organisation-closed), `WrongVersion`, `Invalid`."""
    organisation = _organisation(organisation_id)
    require(by.actor, "manage-organisations", place_of(organisation))
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation_id)
    organisation = _organisation(organisation_id)
    by.require_version(organisation.version)
    if organisation.closed_at is not None:
        raise WrongState("organisation-closed")
    names = ("code", *ORGANISATION_FIELDS)
    before = {name: getattr(organisation, name) for name in names}
    _set_organisation(organisation, changes)
    changed = [name for name in names if getattr(organisation, name) != before[name]]
    paper = {name: getattr(organisation, name) for name in changed if name in rules.PAPER}
    if paper:
        assert not by.actor.is_platform, "somebody answers for another bank account"
        # Whoever pays there is told.
        stored = invoice_details_set(By(by.actor, by.now), organisation_id=organisation_id, details=paper)
        organisation.version = stored.version
    changed = [name for name in changed if name not in paper]
    if not changed:
        return organisation
    organisation.version += 1
    _save_once(organisation, [*changed, "version"])
    trail.record(
        by,
        "organisation.change",
        organisation,
        before={name: before[name] for name in changed},
        after={name: getattr(organisation, name) for name in changed},
    )
    if {"code", "name", "name_zh"} & set(changed):
        payload = {"organisation": str(organisation.pk), "code": [before["code"], organisation.code]}
        key = f"register.organisation.{organisation.pk}.{organisation.version}"
        enqueue([Effect("register.organisation", key, payload)], now=by.now)
    return organisation


def _organisation(organisation_id: UUID) -> Organisation:
    rows = Organisation.objects.select_related("region").filter(pk=organisation_id)
    organisation = rows.first()
    if organisation is None:
        raise NotFound
    return organisation


@transaction.atomic
def invoice_details_set(by: By, *, organisation_id: UUID, details: Mapping[str, str]) -> Organisation:
    """Set the given details of an organisation that its statements print (`LENGTHS` in
    `domain/invoice_details.py` names them); the others stay. The organisation's finance, coordinators of its
    region and administrators may do this. A change of where it is paid is reported to the organisation's
    other finance people and managers, because that is how money is stolen.

    Raise `Invalid` with the codes of `parse_invoice_details` and `not-a-mail-address`. Setting the same
    values again changes nothing.
    """
    row = visible(
        Organisation.objects.select_for_update(of=("self",), no_key=True).select_related("region"),
        pk=organisation_id,
    )
    if not may_set_invoice_details(by.actor, row):
        raise NotPermitted(capability="account")
    by.require_version(row.version)
    parsed = parse_invoice_details(details)
    if email := parsed.get("invoice_email"):
        try:
            validate_email(email)
        except ValidationError:
            raise invalid("invoice_email", "not-a-mail-address") from None
    after = {name: value for name, value in parsed.items() if value != getattr(row, name)}
    if not after:
        return row
    before = {name: getattr(row, name) for name in after}
    old_account = _account_of(row)
    fields = [*after, "version"]
    for name, value in after.items():
        setattr(row, name, value)
    row.version += 1
    is_paid_elsewhere = not after.keys().isdisjoint(BANK)
    if is_paid_elsewhere:
        row.bank_account_changed_at = by.now
        fields.append("bank_account_changed_at")
    row.save(update_fields=fields)
    trail.record(by, "organisation.invoice-details", row, before=before, after=after)
    if is_paid_elsewhere:
        changes = [[name, *told_apart(name, before[name], after[name])] for name in BANK if name in after]
        payload = {
            "organisation": str(row.pk),
            "user": str(by.actor.person),
            "changes": changes,
            # The release before reads these two.
            "before": masked(old_account),
            "after": masked(_account_of(row)),
        }
        key = f"people.bank-account.{row.pk}.{row.version}"
        enqueue([Effect("people.bank-account", key, payload)], now=by.now)
    return row


def _account_of(row: Organisation) -> str:
    """Return the account to which an organisation is paid: the first that it has of IBAN, number, lines."""
    return next((getattr(row, name) for name in ACCOUNT if getattr(row, name)), "")


def _set_organisation(organisation: Organisation, values: Mapping[str, Any]) -> None:
    """Check values and set them on the organisation; raise `Invalid` with all problems."""
    if unknown := set(values) - {"code", *ORGANISATION_FIELDS}:
        raise TypeError(f"An organisation has no {', '.join(sorted(unknown))}.")
    problems: list[FieldProblem] = []
    for name, value in values.items():
        try:
            setattr(organisation, name, _checked(name, value))
        except Invalid as problem:
            problems += problem.problems
    spoilt = {problem.field for problem in problems}
    if not organisation.name and "name" not in spoilt:
        problems.append(FieldProblem("name", "required"))
    if organisation.kind not in Organisation.Kind.values:
        problems.append(FieldProblem("kind", "unknown-value" if organisation.kind else "required"))
    elif organisation.is_small and organisation.kind != Organisation.Kind.ENTERPRISE:
        problems.append(FieldProblem("is_small", "small-is-enterprise"))
    if problems:
        raise Invalid(problems)


def _checked(name: str, value: Any) -> Any:
    """Return the value of a field in the form in which it is stored."""
    match name:
        case "code":
            return rules.organisation_code(value)
        case "ror":
            return rules.ror_of(value)
        case "kind" | "is_small":
            return value
    if name not in rules.PAPER:
        return rules.text_of(name, value, rules.MOST_TEXT[name])
    text = parse_invoice_details({name: value})[name]
    if name == "invoice_email" and text:
        try:
            validate_email(text)
        except ValidationError:
            raise invalid(name, "not-a-mail-address") from None
    return text


def _save_once(row: Region | Organisation, fields: list[str] | None = None) -> None:
    """Insert a row, or update some of its fields. Raise `Invalid` (code-taken) if another row has its code,
    even one that is being entered at the same moment. Codes of organisations must differ in more than case,
    because statement numbers show them in capitals and file names in either case."""
    if isinstance(row, Organisation) and (fields is None or "code" in fields):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('accounts.code:' || %s, 0))",
                [row.code.lower()],
            )
        if Organisation.objects.filter(code__iexact=row.code).exclude(pk=row.pk).exists():
            raise invalid("code", "code-taken")
    try:
        with transaction.atomic():
            if fields is None:
                row.save(force_insert=True)
            else:
                row.save(update_fields=fields)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if "code" not in constraint:
            raise
        raise invalid("code", "code-taken") from None


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Region) else value
