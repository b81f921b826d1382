"""Templates without the indentation they are written with: pages are half as long."""

import re
from typing import Any

from django.template.loaders import app_directories, filesystem

# Where white space counts: what browsers show as written, and sentences to be translated.
_KEPT = re.compile(
    r"(<(?:pre|textarea|script)\b.*?</(?:pre|textarea|script)>"
    r"|\{% blocktranslate\b.*?\{% endblocktranslate %\})",
    re.DOTALL,
)


def flush(source: str) -> str:
    """Return the lines, each from its first sign on."""
    parts = _KEPT.split(source)
    parts[::2] = [re.sub(r"\n[ \t]+", "\n", part) for part in parts[::2]]
    return "".join(parts)


class Filesystem(filesystem.Loader):
    """Those of `config/templates`."""

    def get_contents(self, origin: Any) -> str:
        contents = super().get_contents(origin)
        return flush(contents) if str(origin.name).endswith(".html") else contents


class AppDirectories(Filesystem, app_directories.Loader):
    """Those of the apps."""
