"""The platform as it is served in operation: hashed, compressed files by WhiteNoise."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test import Client

from accounts.models import User

HASHED = "config.files.statics.StaticFiles"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(settings: Any, folder: Path) -> Iterator[str]:
    """The address; static files are collected into `folder`."""
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": HASHED}}
    settings.STATIC_ROOT = folder
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    call_command("collectstatic", verbosity=0, interactive=False)
    staticfiles_storage.hashed_files = staticfiles_storage.load_manifest()[0]
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def cookie_of(user: User, address: str) -> dict[str, str]:
    """A session of the person, who has just signed in by password, for a browser."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time()}]
    session.save()
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}
