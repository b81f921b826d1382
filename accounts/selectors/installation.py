"""What this installation is called and allows. Every page asks, so the cache remembers it."""

from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError

from accounts.models import Installation, RoleGrant, User
from accounts.replica import on_primary

KEPT = "installation"
KEPT_FOR = 300  # seconds: what another process remembered while this one changed it ends, too


@dataclass(frozen=True)
class Site:
    """The installation's row; without one, what holds before `manage.py setup`."""

    name: str = "Instrument Commons"
    name_zh: str = ""
    languages: tuple[str, ...] = tuple(code for code, _ in settings.LANGUAGES)
    admits_strangers: bool = True
    has_logo: bool = False
    version: int = 0  # 0: not set up

    @property
    def language(self) -> str:
        """The usual one, for whom nothing says otherwise."""
        return self.languages[0]


def installation() -> Site:
    """Return the installation as it is remembered, else as its row has it; the usual while there is
    no database."""
    site: Site | None = cache.get(KEPT)
    if site is None:
        try:
            with on_primary():
                site = site_of(Installation.objects.first())
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
    )


def installation_forget() -> None:
    """Forget what is remembered: the next who asks reads the row."""
    cache.delete(KEPT)


def is_demonstration() -> bool:
    """Return whether demonstration people live here, whose password everybody knows."""
    return User.objects.filter(is_demo=True).exists()


def first_administrator() -> User | None:
    """Return who has administered the platform longest of those who still do."""
    grant = (
        RoleGrant.objects.filter(role="administrator", revoked_at=None, user__is_active=True)
        .select_related("user")
        .order_by("granted_at", "id")
        .first()
    )
    return grant.user if grant else None
