"""Answer probes: whether the process is alive, and whether the platform is ready."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings
from django.db import Error, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from accounts.replica import ALIAS, MOST_LAG, follower
from accounts.selectors.installation import maintenance_now
from accounts.selectors.jobs import last_run
from accounts.work import own_entries

SILENT = timedelta(minutes=5)  # entries of the timetable run every minute


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that the process is alive, and of which version it is."""
    return JsonResponse({"status": "alive", "version": settings.VERSION})


def readyz(request: HttpRequest) -> JsonResponse:
    """Report on the database, migrations, broker and clock; a 503 names what is not ready and nothing else. A
    replica is reported too, but need not answer."""
    told = {"replica": _replica} if ALIAS in connections else {}
    return _ready(told, database=_database, migrations=_migrations, broker=_broker, clock=_clock)


def readyz_web(request: HttpRequest) -> JsonResponse:
    """Report to load balancers whether the services that a web process needs answer."""
    return _ready({}, database=_database, migrations=_migrations)


def _ready(told: dict[str, Callable[[], str]], **asks: Callable[[], str]) -> JsonResponse:
    parts = {name: _state_of(ask) for name, ask in asks.items()}
    ready = all(state == "ok" for state in parts.values())
    parts |= {name: _state_of(ask) for name, ask in told.items()}
    return JsonResponse({"status": "ready" if ready else "not ready"} | parts, status=200 if ready else 503)


class ProbeMiddleware:
    """Answers probes before anything checks host or scheme, because load balancers and supervisors ask by the
    machine's address and without TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(("/healthz", "/readyz")):
            try:
                match = resolve(request.path)
            except Resolver404:
                return self.get_response(request)
            request.resolver_match = match  # by which requests are counted
            return match.func(request)  # type: ignore[no-any-return]
        return self.get_response(request)


def _state_of(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (Error, redis.RedisError):
        return "unreachable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _replica() -> str:
    return "ok" if follower.behind() <= MOST_LAG else "late"


def _migrations() -> str:
    return "pending" if pending_migrations() else "ok"


def pending_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this process's code that the database lacks, by app and name."""
    return known_migrations() - MigrationRecorder(connection).applied_migrations().keys()


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this process's code."""
    loader = MigrationLoader(None)
    return frozenset(loader.disk_migrations or {})


def _broker() -> str:
    wire = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1)
    with wire:
        wire.ping()
    return "ok"


def _clock() -> str:
    """Return whether the timetable runs: `ok` if beat and a worker began one of its entries recently,
    otherwise `silent`. During maintenance workers do nothing, which is as it should be."""
    if maintenance_now(timezone.now()):
        return "ok"
    last = last_run(own_entries())
    return "ok" if last is not None and timezone.now() - last < SILENT else "silent"
