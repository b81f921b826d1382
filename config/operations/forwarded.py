"""Notice requests that came by other proxies than PROXIES says."""

from datetime import UTC, datetime
from ipaddress import ip_address

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

KEPT = 86_400  # seconds


def noted_at(kind: str) -> str:
    """Return where the cache keeps since when requests have brought what the present PROXIES does not fit."""
    return f"doctor:forwarded:{settings.ALLAUTH_TRUSTED_PROXY_COUNT}:{kind}"


def forwarded_note(request: HttpRequest) -> None:
    """Remember for a day that a request came by other proxies than PROXIES says. Only requests with a session
    count: programs of this machine come without proxy."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return
    header = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if kind := forwarded_wrong(header, settings.ALLAUTH_TRUSTED_PROXY_COUNT):
        cache.add(noted_at(kind), datetime.now(UTC), KEPT)


def forwarded_wrong(header: str, proxies: int) -> str:
    """Return what is wrong with the number of proxies, by the addresses in X-Forwarded-For: `unlisted` if
    there is a proxy that does not count, `missing` if one that counts adds nothing; otherwise nothing."""
    addresses = [one.strip() for one in header.split(",") if one.strip()]
    if len(addresses) < proxies:
        return "missing"
    if addresses and not proxies:
        return "unlisted"
    # A visitor inside our own network, before whom one outside is named: that is another proxy of ours.
    chosen, before = addresses[-proxies:][:1], addresses[:-proxies][-1:]
    return "unlisted" if before and _is_inside(chosen[0]) and not _is_inside(before[0]) else ""


def _is_inside(address: str) -> bool:
    try:
        return not ip_address(address).is_global
    except ValueError:
        return False
