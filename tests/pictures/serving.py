"""The demonstration world in a database of its own, served on a port of this process."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

HOST = "127.0.0.1"


@contextmanager
def served(database: str, *, keep: bool) -> Iterator[str]:
    """The address of the platform with its demonstration; `keep` takes the database as it is."""
    port = _free_port()
    address = os.environ["DATABASE_URL"]
    os.environ |= {
        "DATABASE_URL": urlunsplit(urlsplit(address)._replace(path=f"/{database}")),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SITE_URL": f"http://{HOST}:{port}",
        "LOG_LEVEL": "CRITICAL",
    }
    if not keep:
        with psycopg.connect(address, autocommit=True) as connection:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from rest_framework.throttling import SimpleRateThrottle

    # No worker runs here, and one browser asks as often as it can.
    settings.CELERY_BROKER_URL = "memory://"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    SimpleRateThrottle.THROTTLE_RATES = {"anon": None, "user": None}
    call_command("collectstatic", verbosity=0, interactive=False)
    if not keep:
        print("Making the demonstration world ...", flush=True)
        call_command("migrate", verbosity=0)
        call_command("seed_demo", stdout=StringIO())

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadedWSGIServer((HOST, port), Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
