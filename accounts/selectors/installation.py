"""Read the name and the settings of this installation, which are cached, because every page needs them; and
the identity providers at which people may sign in."""

from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import Subquery

from accounts.models import Installation, Region, RoleGrant, User
from accounts.replica import on_primary

KEPT = "installation"
KEPT_FOR = 300  # seconds: what another process remembered while this one changed it ends, too


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
                row = Installation.objects.annotate(first_zone=Subquery(first)).first()
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
    )


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
