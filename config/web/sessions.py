"""Sessions in the cache and the database."""

import re

from django.contrib.sessions.backends import cached_db

KEY = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(cached_db.SessionStore):
    """The session store. It ignores cookies that cannot be one of our session keys before it asks cache and
    database; PostgreSQL refuses NUL characters, for example."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY.fullmatch(key) is not None
