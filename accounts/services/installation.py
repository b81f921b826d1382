"""Set up an installation from nothing, and change its name and settings afterwards."""

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, transaction
from PIL import Image

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, WrongState, invalid
from accounts.domain.organisations import scheme_named
from accounts.domain.roles import ADMINISTRATOR, PLATFORM, By, Place
from accounts.models import Installation, Organisation, Region, User
from accounts.models.keys import new_id
from accounts.permissions import require
from accounts.selectors.divisions import division
from accounts.selectors.installation import first_administrator, installation_forget, is_demonstration
from accounts.selectors.users import confirmed_addresses, user_by_email
from accounts.services.memberships import role_grant
from accounts.services.organisations import organisation_create, region_create
from accounts.services.users import password_link_send, person_enter

MOST_LOGO = 1_000_000  # bytes
MOST_MEGAPIXELS = 16
LOGO = (480, 96)  # pixels, the largest kept: it stands 32 high in the header
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


class Outcome(StrEnum):
    """The outcome of setting up one thing."""

    MADE = "made"
    EXISTS = "exists"
    DIFFERS = "differs"  # it exists with other values, and is left as it is


@dataclass(frozen=True)
class SetupStep:
    """A thing to set up and its outcome. `differing` names the values in which the existing thing differs."""

    kind: str
    name: str
    outcome: Outcome
    differing: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetUp:
    """The steps of a setup with their outcomes, and the platform's administrator."""

    steps: tuple[SetupStep, ...]
    administrator: User


@transaction.atomic
def installation_set_up(
    *,
    site: Mapping[str, Any],
    regions: Sequence[Mapping[str, Any] | None],
    organisations: Sequence[Mapping[str, Any] | None],
    administrator: Mapping[str, Any] | None,
    logo: bytes | None,
    now: datetime,
    known: Sequence[FieldProblem] = (),
) -> SetUp:
    """Create what is missing of an installation: its row, regions, organisations and the first administrator,
    an account without a password whose owner is mailed a link to set one. What exists is left unchanged. Only
    one setup runs at a time.

    `known` are problems that the caller has found; what cannot be read because of them is None, and the rest
    is examined all the same. Raise `WrongState` (`demonstration`) if there are demonstration people, or
    `Invalid` with all problems; then nothing is created.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('accounts.set-up', 0))")
    if is_demonstration():
        raise WrongState("demonstration")
    by = By(PLATFORM, now)
    picture, steps, problems = None, [], list(known)
    problems += _administrator_problems(administrator) if administrator else []
    if logo is not None:
        try:
            picture = _logo(logo)
        except Invalid as refused:
            problems += _at("site", refused)
    for name, things, step_of in (
        ("regions", regions, _region_step),
        ("organisations", organisations, _organisation_step),
    ):
        codes = [given and given["code"] for given in things]
        for position, given in enumerate(things):
            if given is None:
                continue
            path = f"{name}[{position}]"
            if given["code"] in codes[:position]:
                problems.append(FieldProblem(f"{path}.code", "repeated"))
                continue
            try:
                steps.append(step_of(given, by))
            except Invalid as refused:
                problems += _at(path, refused)
            except WrongState as refused:
                problems.append(FieldProblem(path, refused.code, refused.numbers))
    if problems or administrator is None:
        raise Invalid(problems)
    step, user = _administrator_step(administrator, site, regions, by)
    return SetUp((_site_step(site, picture, user, by), *steps, step), user)


@transaction.atomic
def installation_update(
    by: By,
    *,
    name: str,
    name_zh: str,
    languages: Sequence[str],
    admits_strangers: bool,
    logo: bytes | None = None,
    without_logo: bool = False,
) -> Installation:
    """Set the name and the settings of the installation; `logo` None keeps the present logo. Raise
    `WrongVersion` if they have changed since the expected version."""
    require(by.actor, "administer", Place(None))
    if not languages or not set(languages) <= set(dict(settings.LANGUAGES)):
        raise invalid("languages", "required" if not languages else "unknown-value")
    picture = _logo(logo) if logo is not None else None
    row, _ = Installation.objects.select_for_update().get_or_create(
        defaults={"name": name, "languages": list(languages), "created_at": by.now, "version": 0}
    )
    by.require_version(row.version)
    before, old = _told(row), row.logo.name
    row.name, row.name_zh, row.languages = name, name_zh, list(dict.fromkeys(languages))
    row.admits_strangers = admits_strangers
    if picture is not None or without_logo:
        row.logo.name = ""
    if picture is not None:
        row.logo.save(f"{new_id()}.png", ContentFile(picture), save=False)
    row.version += 1
    row.save()
    if old and old != row.logo.name:
        storage = row.logo.storage
        transaction.on_commit(lambda: storage.delete(old), robust=True)
    _record(by, "installation.update", User.objects.get(pk=by.actor.person), before, row)
    return row


def _site_step(site: Mapping[str, Any], picture: bytes | None, user: User, by: By) -> SetupStep:
    present = Installation.objects.first()
    if present is not None:
        same = {**site, "logo": bool(site.get("logo"))}
        return _left("installation", present.name, same, {**_told(present), "name": present.name})
    row = Installation(
        name=site["name"],
        name_zh=site.get("name_zh", ""),
        languages=list(dict.fromkeys(site.get("languages") or dict(settings.LANGUAGES))),
        admits_strangers=site.get("admits_strangers", True),
        created_at=by.now,
    )
    if picture is not None:
        row.logo.save(f"{new_id()}.png", ContentFile(picture), save=False)
    row.save(force_insert=True)
    _record(by, "installation.create", user, {}, row)
    return SetupStep("installation", row.name, Outcome.MADE)


def _administrator_problems(administrator: Mapping[str, Any]) -> list[FieldProblem]:
    """Return a problem if the administrator's address belongs to an account that is closed or has not
    confirmed it: a stranger may have made that account, and the stranger's password opens it. None is found
    if there is an administrator already."""
    user = None if first_administrator() else user_by_email(administrator["email"])
    if user is None or (user.is_active and user.email.lower() in confirmed_addresses(user.pk)):
        return []
    return [FieldProblem("administrator.email", "unconfirmed-account")]


def _region_step(given: Mapping[str, Any], by: By) -> SetupStep:
    """Enter a region unless it exists; for a place in a shipped list the scheme and the code suffice."""
    scheme, code = scheme_named(given["scheme"]), given["code"]
    present = Region.objects.select_related("parent").filter(code=code).first()
    if present is not None:
        stored = {**vars(present), "parent": present.parent.code if present.parent else ""}
        return _left("region", code, {**given, "scheme": scheme}, stored)
    values = dict(given)
    above = values.pop("parent", None)
    parent = Region.objects.filter(code=above).first() if above else None
    if above and parent is None:
        raise invalid("parent", "unknown-region", region=above)
    try:
        region_create(by, parent=parent, **values)
    except Invalid as refused:
        if division(scheme, code):
            raise
        raise Invalid(
            [
                FieldProblem(p.field, "not-a-known-code") if p.code == "required" else p
                for p in refused.problems
            ]
        ) from None
    return SetupStep("region", code, Outcome.MADE)


def _organisation_step(given: Mapping[str, Any], by: By) -> SetupStep:
    code = given["code"]
    present = Organisation.objects.select_related("region").filter(code=code).first()
    if present is not None:
        return _left("organisation", code, given, {**vars(present), "region": present.region.code})
    region = Region.objects.filter(code=given["region"]).first()
    if region is None:
        raise invalid("region", "unknown-region", region=given["region"])
    organisation_create(by, **{**given, "region": region})
    return SetupStep("organisation", code, Outcome.MADE)


def _administrator_step(
    given: Mapping[str, Any], site: Mapping[str, Any], regions: Sequence[Mapping[str, Any] | None], by: By
) -> tuple[SetupStep, User]:
    """Create the first administrator unless the platform has one, and mail a link to set a password. The
    address of a new account counts as confirmed, because the operator gave it and only that link opens the
    account."""
    present = first_administrator()
    if present is not None:
        stored = {"email": present.email, "name": present.name}
        same = {**given, "email": given["email"].lower()}
        step = _left("administrator", present.email, same, stored)
        password_link_send("administrator", present, by.now)
        return step, present
    user, first = user_by_email(given["email"]), next(iter(regions), None)
    if user is None:
        user = person_enter(
            email=given["email"],
            name=given.get("name", ""),
            language=(site.get("languages") or [settings.LANGUAGE_CODE])[0],
            time_zone=Region.objects.get(code=first["code"]).time_zone if first else "UTC",
            now=by.now,
        )
    role_grant(by, user=user, role=ADMINISTRATOR)
    password_link_send("administrator", user, by.now)
    return SetupStep("administrator", user.email, Outcome.MADE), user


def _left(kind: str, name: str, given: Mapping[str, Any], stored: Mapping[str, Any]) -> SetupStep:
    """Return the step of a thing that exists already, with the names of the given values in which it
    differs."""
    differing = tuple(key for key, value in given.items() if stored.get(key) != value)
    return SetupStep(kind, name, Outcome.DIFFERS if differing else Outcome.EXISTS, differing)


def _at(path: str, refused: Invalid) -> list[FieldProblem]:
    """Return the problems of a part with the path of the part before their fields."""
    return [FieldProblem(f"{path}.{p.field}", p.code, p.numbers) for p in refused.problems]


def _logo(content: bytes) -> bytes:
    """Return a picture as a PNG of at most `LOGO` pixels that contains nothing of the file but the visible
    picture."""
    if len(content) > MOST_LOGO:
        raise invalid("logo", "file-too-large", most=MOST_LOGO // 1000)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as opened:
            if opened.width * opened.height > MOST_MEGAPIXELS * 1_000_000:
                raise invalid("logo", "too-many-pixels", most=MOST_MEGAPIXELS)
            picture = opened.convert("RGBA")
        picture.thumbnail(LOGO, Image.Resampling.LANCZOS)
        out = io.BytesIO()
        Image.frombytes("RGBA", picture.size, picture.tobytes()).save(out, "PNG", optimize=True)
    except _BROKEN:
        raise invalid("logo", "broken-file") from None
    return out.getvalue()


def _told(row: Installation) -> dict[str, Any]:
    return {
        "name": row.name,
        "name_zh": row.name_zh,
        "languages": list(row.languages),
        "admits_strangers": row.admits_strangers,
        "logo": bool(row.logo),
    }


def _record(by: By, action: str, user: User, before: Mapping[str, Any], row: Installation) -> None:
    """Record an act in the trail under the administrator's UUID, because the installation's own key is a
    number."""
    trail.record(by, action, user, before=before, after=_told(row))
    transaction.on_commit(installation_forget)
