"""Read the name and the settings of this installation, its announcements and its maintenance, which are
cached, because every page needs them; and the identity providers at which people may sign in."""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.domain.announcements import Announcement as Notice
from accounts.domain.maintenance import MOST_FILE, Spell, in_force, spell_in_file, unread_file
from accounts.models import Announcement, Installation, Maintenance, Region, RoleGrant, User
from accounts.replica import on_primary

KEPT = "installation-2"  # the release before cannot read what is in it
KEPT_FOR = 60  # seconds: what another process remembered while this one changed it ends, too
MOST_AHEAD = 20  # announcements that are not over, and as many times of maintenance


@dataclass(frozen=True)
class Site:
    """The settings in the installation's row, with the defaults that hold before `manage.py setup` creates
    it."""

    name: str = "Instrument Commons"
    name_zh: str = ""
    languages: tuple[str, ...] = tuple(code for code, _ in settings.LANGUAGES)
    admits_strangers: bool = True
    has_logo: bool = False
    version: int = 0  # 0: not set up
    time_zone: str = "UTC"  # of the region that was entered first
    # What is shown or holds, or will.
    announcements: tuple[Notice, ...] = ()
    maintenance: tuple[Spell, ...] = ()

    @property
    def language(self) -> str:
        """Return the default language."""
        return self.languages[0]


def installation() -> Site:
    """Return the installation's settings, from the cache or else from its row; the defaults if no database
    can be reached."""
    site: Site | None = cache.get(KEPT)
    if site is None:
        try:
            with on_primary():
                first = Region.objects.order_by("pk").values("time_zone")[:1]
                row = Installation.objects.annotate(
                    first_zone=Subquery(first), notices=_notices(), spells=_spells()
                ).first()
                site = site_of(row)
        except DatabaseError:  # pages that say so have to be drawn, too
            return Site()
        cache.set(KEPT, site, KEPT_FOR)
    return site


def site_of(row: Installation | None) -> Site:
    if row is None:
        return Site()
    known = tuple(code for code in row.languages if code in dict(settings.LANGUAGES))
    return Site(
        name=row.name,
        name_zh=row.name_zh,
        languages=known or Site.languages,
        admits_strangers=row.admits_strangers,
        has_logo=bool(row.logo),
        version=row.version,
        time_zone=getattr(row, "first_zone", None) or Site.time_zone,
        announcements=tuple(_notice(each) for each in getattr(row, "notices", None) or ()),
        maintenance=tuple(_spell(each) for each in getattr(row, "spells", None) or ()),
    )


_NOTICE = (
    "id",
    "version",
    "kind",
    "text",
    "text_zh",
    "starts_at",
    "ends_at",
    "audience",
    "region_id",
    "role",
)
_SPELL = ("starts_at", "ends_at", "reason", "reason_zh")


def _notices() -> ArraySubquery:
    """Return the announcements that end last, for the statement that reads the installation's row."""
    rows = Announcement.objects.filter(withdrawn_at=None).order_by("-ends_at", "id")
    return ArraySubquery(rows.values(shown=JSONObject(**{name: name for name in _NOTICE}))[:MOST_AHEAD])


def _spells() -> ArraySubquery:
    """Return the maintenance that is not over, the first to begin first, for the same statement: what holds
    now is never left out for what is planned."""
    now = timezone.now()  # noqa: TID251 (many read it, who have no moment)
    rows = Maintenance.objects.filter(ended_at=None, ends_at__gt=now).order_by("starts_at", "id")
    return ArraySubquery(rows.values(shown=JSONObject(**{name: name for name in _SPELL}))[:MOST_AHEAD])


def _notice(values: dict[str, Any]) -> Notice:
    region = values["region_id"]
    read = {"id": UUID(values["id"]), "region_id": UUID(region) if region else None}
    return Notice(**values | _instants(values) | read)


def _spell(values: dict[str, Any]) -> Spell:
    return Spell(**values | _instants(values))


def _instants(values: dict[str, Any]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(values[name]) for name in ("starts_at", "ends_at")}


def maintenance_now(now: datetime) -> Spell | None:
    """Return the maintenance that holds at a moment: one that administrators entered, or that of the file;
    None if there is none. It takes no statement."""
    filed = maintenance_file(now)
    return in_force((*installation().maintenance, *([filed] if filed else ())), now)


def maintenance_file(now: datetime) -> Spell | None:
    """Return the maintenance that the file `MAINTENANCE_FILE` announces, with which processes learn of it
    while the database takes no writes; None if there is no file. One that may not be read counts, because
    whoever made it means maintenance; `doctor` says so."""
    try:
        # A pipe keeps nobody waiting.
        with open(os.open(settings.MAINTENANCE_FILE, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return None
            text = file.read(MOST_FILE).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError:  # nobody can say that there is none
        return unread_file(now)
    return spell_in_file(text, datetime.fromtimestamp(found.st_mtime, UTC))


def usual_zone() -> str:
    """Return the default time zone of people who have not chosen one: the operator's choice, else that of the
    region that was entered first."""
    return settings.USUAL_TIME_ZONE or installation().time_zone


def installation_forget() -> None:
    """Clear the cached settings, so that the next reader loads the row."""
    cache.delete(KEPT)


def is_demonstration() -> bool:
    """Return whether this is a demonstration, with demonstration accounts whose passwords everybody knows."""
    return User.objects.filter(is_demo=True).exists()


def first_administrator() -> User | None:
    """Return the administrator who has held the role longest, or None."""
    grant = (
        RoleGrant.objects.filter(role="administrator", revoked_at=None, user__is_active=True)
        .select_related("user")
        .order_by("granted_at", "id")
        .first()
    )
    return grant.user if grant else None


def stored_providers() -> list[SocialApp]:
    """Return the providers that administrators have entered."""
    return list(SocialApp.objects.order_by("name"))


def configured_providers() -> list[dict[str, Any]]:
    """Return the providers that are configured in the environment, each with kind, id and name."""
    return [
        {"kind": kind, "id": app.get("provider_id", kind), "name": app["name"]}
        for kind, setup in settings.SOCIALACCOUNT_PROVIDERS.items()
        for app in setup.get("APPS", [])
    ]
