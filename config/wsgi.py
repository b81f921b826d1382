"""The web process (WSGI)."""

import gc
import logging
import os
import sys
from collections.abc import Iterable
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.operations import observability
from config.web.pace import Pace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
observability.start("web")
_django = get_wsgi_application()
_PIECE = 1 << 16
_reading_on = BoundedSemaphore(2)
_pace = Pace(seconds=settings.TRANSFER_LEAST_SECONDS, least=settings.TRANSFER_LEAST_BYTES)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with Django's application, then read to its end a request body that Django refused unread:
    otherwise the connection to a proxy that is still sending is reset, and people get the proxy's 502 instead
    of the answer. Few threads do so at a time, because anybody may send an endless body."""
    _pace.watch(environ)
    answer = _django(environ, start_response)
    if environ.get("CONTENT_LENGTH") and _reading_on.acquire(blocking=False):
        try:
            while environ["wsgi.input"].read(_PIECE):
                pass
        finally:
            _reading_on.release()
    return answer


def _warm() -> None:
    """Request a page and a list, so that the first visitor does not wait for what is loaded on first use."""
    site = urlsplit(settings.SITE_URL)
    for path in ("/", "/api/v1/instruments/"):
        environ = {"HTTP_HOST": site.netloc, "HTTP_USER_AGENT": "warming up", "PATH_INFO": path}
        environ |= {"HTTP_X_FORWARDED_PROTO": site.scheme, "wsgi.url_scheme": site.scheme}
        setup_testing_defaults(environ)
        answer: Any = _django(environ, lambda *answered: bytes)
        answer.close()


if "granian" in sys.modules:  # a server, and no test or command that loads this
    try:
        _warm()
    except Exception:  # whatever it is, the request that meets it says it better
        logging.getLogger(__name__).warning("not warmed up", exc_info=True)
# What is loaded stays: the collector need not look through it again in the middle of a request.
gc.collect()
gc.freeze()
