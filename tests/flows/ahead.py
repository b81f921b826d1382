"""Settings of an installation whose clock goes ahead by the seconds in the file `AHEAD` names, so
that a test need not wait for the next month."""

import os
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from config.settings import *  # noqa: F403

_real = timezone.now
_ahead = Path(os.environ["AHEAD"])
timezone.now = lambda: _real() + timedelta(seconds=float(_ahead.read_text() or 0))
