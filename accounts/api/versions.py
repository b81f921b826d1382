"""Exchange the versions of records: as `ETag` in answers and as `If-Match` in requests."""

import re

from rest_framework.request import Request

from accounts.domain.errors import invalid

NEVER = -1  # no record has it
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_NUMBER = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` names; None for any. A weak tag, or one that we did not make, is
    well-formed but matches no version. Raise `Invalid` if the header cannot be parsed."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    match = _TAG.fullmatch(given.strip())
    if match is None:
        raise invalid("If-Match", "malformed-version")
    is_ours = match[1] is None and _NUMBER.fullmatch(match[2])
    return int(match[2]) if is_ours else NEVER
