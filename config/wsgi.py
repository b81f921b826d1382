"""The web process (WSGI)."""

import gc
import logging
import os
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.operations import observability

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
observability.start("web")
_django = get_wsgi_application()
_PIECE = 1 << 16


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django's; and a body that it refused unread is read to its end: otherwise the connection is
    reset on a proxy that still sends, and in place of the answer people get its 502."""
    answer = _django(environ, start_response)
    while environ.get("CONTENT_LENGTH") and environ["wsgi.input"].read(_PIECE):
        pass
    return answer


def _warm() -> None:
    """Ask for a page and a list, so that whoever comes first need not wait for what is loaded when
    it is first used."""
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
