"""The web process (WSGI)."""

import gc
import os
from collections.abc import Iterable
from typing import Any

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


# What is loaded stays: the collector need not look through it again in the middle of a request.
gc.collect()
gc.freeze()
