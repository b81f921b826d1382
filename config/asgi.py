"""The web process (ASGI)."""

import os

from django.core.asgi import get_asgi_application

from config.operations import observability

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
observability.start("web")
application = get_asgi_application()
