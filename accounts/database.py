"""Recognise from its errors that the database is busy or away."""

from django.db import InterfaceError, InternalError, OperationalError

# Other transactions came first: a lock was not granted in time, a deadlock, a serialization failure, a
# statement that took too long. Nothing was done; trying again helps.
_BUSY_STATES = frozenset({"55P03", "40P01", "40001", "57014"})
# The database is away, starts, stops, is full, has ended the session, or is just becoming another.
_AWAY_STATES = ("08", "53", "57P", "25006", "25P03")


def is_busy(error: BaseException | None) -> bool:
    """Return whether an operation failed because other transactions held its locks or rows at the same
    time."""
    return isinstance(error, OperationalError) and _state_of(error) in _BUSY_STATES


def is_deadlock(error: BaseException) -> bool:
    """Return whether an operation failed because it and another waited for each other."""
    return _state_of(error) == "40P01"


def is_away(error: BaseException | None) -> bool:
    """Return whether an operation failed because no database can be reached."""
    if isinstance(error, InterfaceError):  # a connection that was closed
        return True
    if not isinstance(error, OperationalError | InternalError):
        return False
    state = _state_of(error)
    if state is None:
        return isinstance(error, OperationalError)  # never got as far as an answer
    return state.startswith(_AWAY_STATES)


def is_read_only(error: BaseException | None) -> bool:
    """Return whether something was to be written in a transaction that only reads."""
    return error is not None and _state_of(error) == "25006"


def _state_of(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
