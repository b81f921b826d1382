"""Serve static files from node_modules by name, so that nothing else of a package is published."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage


class NamedFilesFinder(BaseFinder):
    """Serves `settings.NODE_FILES`: path in node_modules -> public name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.public = {public: source for source, public in settings.NODE_FILES.items()}
        self.storage = _RenamedStorage(settings.NODE_MODULES, self.public)

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = self.public.get(path)
        file = str(settings.NODE_MODULES / source) if source else None
        return ([file] if file else []) if find_all else (file or [])

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for public in self.public:
            yield public, self.storage


class _RenamedStorage(FileSystemStorage):
    """Reads a package's file under its public name."""

    prefix = ""

    def __init__(self, location: Path, public: dict[str, str]) -> None:
        super().__init__(location=str(location))
        self._public = public

    def path(self, name: str) -> str:
        return str(Path(self.location) / self._public[name])
