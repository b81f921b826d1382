"""Sessions in the cache and the database."""

import re

from django.contrib.sessions.backends import cached_db

KEY = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(cached_db.SessionStore):
    """A cookie that is no key we could have given out never reaches the stores: the database
    takes no NUL, for one."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY.fullmatch(key) is not None
