"""Look at what an operator sets and forgets: keys, eviction, proxies, TLS, mail, backups, certificate."""

import json
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop as _

from accounts.adapters.broker import SHORTLY
from accounts.adapters.second_factor import second_factors_unread
from accounts.findings import Findings, amber, note, ok, red, short
from config.operations.backups import TRIED, backups_made
from config.operations.forwarded import noted_at

TRIES = 200  # of secrets, the oldest and the newest
LATE_BACKUP, NO_BACKUP = timedelta(hours=26), timedelta(days=3)  # made every night
MOST_UNTRIED = timedelta(days=180)
LEAST_CERTIFICATE = timedelta(days=14)


def keys() -> Findings:
    """Check that the keys in force read what was stored under earlier ones."""
    unread, tried = second_factors_unread(TRIES)
    if unread:
        words = _(
            "{count} of {tried} second factors were stored under another SECRET_KEY: they let nobody in"
        )
        remedy = _("put the earlier key into SECRET_KEY_FALLBACKS (docs/operations.md, A new SECRET_KEY)")
        yield red("secret-key", words, remedy, count=unread, tried=tried)
    else:
        yield ok("secret-key", _("the keys in force read all of {tried} stored second factors"), tried=tried)


def eviction() -> Findings:
    """Check that Valkey throws away no job when its memory is full."""
    link = redis.Redis.from_url(settings.CELERY_BROKER_URL, **SHORTLY)
    told = link.info("memory")
    policy, most = told.get("maxmemory_policy"), int(told.get("maxmemory") or 0)
    words = _(
        "maxmemory-policy of the broker is {policy}: when its memory is full it drops jobs and sessions"
    )
    remedy = _("set maxmemory-policy to noeviction in valkey.conf")
    if policy is None:
        yield note("eviction", _("the broker does not say what it does when its memory is full"))
    elif policy == "noeviction":
        yield ok("eviction", _("the broker drops nothing when its memory is full"))
    elif most:
        yield red("eviction", words, remedy, policy=policy)
    else:  # not full before the machine is
        yield amber("eviction", words, remedy, policy=policy)


def proxies() -> Findings:
    """Check PROXIES by what requests of the last day brought."""
    told = {"count": settings.ALLAUTH_TRUSTED_PROXY_COUNT}
    unlisted, missing = (cache.get(noted_at(kind)) for kind in ("unlisted", "missing"))
    if unlisted:
        words = _("PROXIES is {count}, but requests come by a proxy beyond that: all visitors seem to be one")
        remedy = _("set PROXIES to the number of proxies that add to X-Forwarded-For")
        yield amber("proxies", words, remedy, **told)
    if missing:
        words = _("PROXIES is {count}, but requests name fewer addresses in X-Forwarded-For")
        remedy = _("set PROXIES lower, or let each proxy add to X-Forwarded-For")
        yield amber("proxies", words, remedy, **told)
    if not unlisted and not missing:
        yield ok("proxies", _("PROXIES is {count}, and no request says otherwise"), **told)


def encryption() -> Findings:
    """Check the settings that keep what people send on https."""
    if settings.LOCAL_MODE:
        return
    remedy = _("take {name} out of the settings")
    is_right = True
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        is_right = False
        yield red("cookies", _("cookies travel without https"), _("set LOCAL_MODE=0"))
    if not settings.SECURE_SSL_REDIRECT:
        is_right = False
        yield amber(
            "https-only",
            _("{name} is off: pages are answered without https, too"),
            remedy,
            name="SSL_REDIRECT",
        )
    if not settings.SECURE_HSTS_SECONDS:
        is_right = False
        words = _("{name} is 0: browsers may come without https the first time")
        yield amber("hsts", words, remedy, name="HSTS_SECONDS")
    if settings.SITE_URL not in settings.CSRF_TRUSTED_ORIGINS:
        is_right = False
        words = _("{name} lacks {address}: behind a proxy that changes Host, forms are refused")
        yield amber("origins", words, remedy, name="CSRF_TRUSTED_ORIGINS", address=settings.SITE_URL)
    if settings.SECURE_PROXY_SSL_HEADER is None:
        words = _(
            "BEHIND_TLS_PROXY is not set: pages are answered only if the web process has a certificate itself"
        )
        yield note("behind-proxy", words)
    if is_right:
        yield ok("https-only", _("cookies and pages travel by https only"))


def sender() -> Findings:
    """Check the address from which mail comes."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain, host = address.rpartition("@")[2].lower(), urlsplit(settings.SITE_URL).hostname or ""
    remedy = _("set MAIL_FROM to an address of a domain that this mail server may send for")
    try:
        validate_email(address)
    except ValidationError:
        yield red("mail-from", _("MAIL_FROM holds no valid address: {address}"), remedy, address=address)
        return
    if settings.LOCAL_MODE:
        return
    if domain == "localhost" or domain.endswith((".localhost", ".local", ".localdomain", ".invalid")):
        words = _("MAIL_FROM is {address}: other mail servers refuse mail from there")
        yield amber("mail-from", words, remedy, address=address)
    elif domain.split(".")[-2:] != host.split(".")[-2:]:
        words = _(
            "MAIL_FROM is {address}, of another domain than {host}: its SPF and DKIM must allow this server"
        )
        yield note("mail-from", words, address=address, host=host)
    else:
        yield ok("mail-from", _("mail comes from {address}"), address=address)


def maintenance_file() -> Findings:
    """Check that maintenance can be turned on by the file, and that a file that is there can be read."""
    path = Path(settings.MAINTENANCE_FILE)
    told = {"file": str(path)}
    remedy = _("name a file in MAINTENANCE_FILE whose folder the service's account may read and write")
    if settings.LOCAL_MODE and not path.parent.exists():
        return
    if not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        words = _("nobody can write beside {file}: no maintenance while the database is away")
        yield red("maintenance-file", words, remedy, **told)
    elif path.exists() and not os.access(path, os.R_OK):
        words = _("{file} cannot be read: nothing can be changed until it can, or is removed")
        yield red("maintenance-file", words, remedy, **told)
    else:
        yield ok("maintenance-file", _("maintenance can be turned on by {file}"), **told)


def backups() -> Findings:
    """Check the age of the last backup, and when one was last restored to try it."""
    if settings.LOCAL_MODE:
        return
    if not settings.BACKUP_FOLDER:
        yield note("backup", _("BACKUP_FOLDER is empty: how old the last backup is nobody watches here"))
        return
    folder, now = Path(settings.BACKUP_FOLDER), datetime.now(UTC)
    told = {"folder": str(folder)}
    made = backups_made(folder)
    remedy = "systemctl status instrument-commons-backup.timer instrument-commons-backup"
    if not made:
        words = _("there is no backup in {folder}")
        other = _(
            "systemctl enable --now instrument-commons-backup.timer, or name another folder in BACKUP_FOLDER"
        )
        yield amber("backup", words, other, **told)
        return
    last = made[-1]
    words = _("the last backup is of {since}")
    if now - last > NO_BACKUP:
        yield red("backup", words, remedy, since=last)
    elif now - last > LATE_BACKUP:
        yield amber("backup", words, remedy, since=last)
    else:
        yield ok("backup", words, since=last)
    yield from _tried(folder, made, now)


def _tried(folder: Path, made: list[datetime], now: datetime) -> Findings:
    remedy = _("restore one beside the installation (docs/operations.md, Backup and restore)")
    try:
        at = datetime.fromisoformat(json.loads((folder / TRIED).read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, KeyError, TypeError):
        yield amber("restore", _("no backup has been restored yet to try it"), remedy)
        return
    words, since = _("a backup was last restored on {since} UTC"), f"{at:%Y-%m-%d}"
    if now - at > MOST_UNTRIED:
        yield amber("restore", words, remedy, since=since)
    else:
        yield ok("restore", words, since=since)


def certificate() -> Findings:
    """Check the certificate that browsers see, and how long it still holds."""
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme != "https" or not parts.hostname:
        return
    told = {"host": parts.netloc}
    remedy = _("renew it, or see why its renewal fails (certbot, acme.sh, Caddy)")
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=5) as link,
            ssl.create_default_context().wrap_socket(link, server_hostname=parts.hostname) as wrapped,
        ):
            peer = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as problem:
        words = _("browsers refuse the certificate of {host}: {why}")
        yield red("certificate", words, remedy, why=problem.verify_message, **told)
        return
    except OSError as problem:  # a machine need not reach the address that browsers use
        yield note("certificate", _("{host} does not answer from here: {why}"), why=short(problem), **told)
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(peer["notAfter"])), UTC)
    words, until = _("the certificate of {host} holds until {until}"), f"{ends:%Y-%m-%d}"
    if ends - datetime.now(UTC) < LEAST_CERTIFICATE:
        yield amber("certificate", words, remedy, until=until, **told)
    else:
        yield ok("certificate", words, until=until, **told)
