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
from instruments.vocabulary.selectors.needs import meanings_load  # noqa: E402 (models need the application)

_PIECE, _MOST_PIECES = 1 << 16, 1 << 10
_reading_on = BoundedSemaphore(2)
_pace = Pace(seconds=settings.TRANSFER_LEAST_SECONDS, least=settings.TRANSFER_LEAST_BYTES)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with Django's application, then read to its end a request body that Django refused unread:
    otherwise the connection to a proxy that is still sending is reset, and people get the proxy's 502 instead
    of the answer. Few threads do so at a time, and up to 64 MiB, because anybody may send an endless body."""
    _pace.watch(environ)
    answer = _django(environ, start_response)
    has_body = environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")
    if has_body and _reading_on.acquire(blocking=False):
        try:
            for _ in range(_MOST_PIECES):
                if not environ["wsgi.input"].read(_PIECE):
                    break
        finally:
            _reading_on.release()
    return answer


def _warm_web() -> None:
    """Load what is loaded on first use, and request a page, a search and a list, so that the first visitors
    do not wait for it: each of several first searches would work out the vocabulary for itself."""
    try:
        meanings_load()  # else this process would answer needs otherwise than one that has them
    except Exception:  # without the encoder words alone count
        logging.getLogger(__name__).warning("needs.meanings-not-loaded", exc_info=True)
    _warm("/", "/?q=microscope", "/api/v1/instruments/")


def _warm(*addresses: str) -> None:
    """Request pages, so that what answers them is loaded."""
    site = urlsplit(settings.SITE_URL)
    for address in addresses:
        path, _, query = address.partition("?")
        environ = {"HTTP_HOST": site.netloc, "HTTP_USER_AGENT": "warming up", "PATH_INFO": path}
        environ["QUERY_STRING"] = query
        environ |= {"HTTP_X_FORWARDED_PROTO": site.scheme, "wsgi.url_scheme": site.scheme}
        setup_testing_defaults(environ)
        answer: Any = _django(environ, lambda *answered: bytes)
        answer.close()


if "granian" in sys.modules:  # a server, and no test or command that loads this
    try:
        if "config.uploads" in sys.modules:  # nobody asks it for needs, whose meanings take 370 MB
            _warm("/api/v1/techniques/")
        else:
            _warm_web()
    except Exception:  # whatever it is, the request that meets it says it better
        logging.getLogger(__name__).warning("not warmed up", exc_info=True)
# What is loaded stays: the collector need not look through it again in the middle of a request.
gc.collect()
gc.freeze()
