"""Store uploaded files in Django's default storage, under names derived from their ids."""

from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

# The sizes that are stored of a photo and of a document.
SIZES = {"photo": ("large", "small"), "document": ("file",)}
_ENDINGS = {"large": "webp", "small": "webp", "file": "pdf"}


def file_put(attachment_id: UUID, size: str, content: bytes) -> None:
    default_storage.save(_name(attachment_id, size), ContentFile(content))


def file_open(attachment_id: UUID, size: str) -> "File[bytes] | None":
    """Open a file of an attachment; None if it is not there."""
    try:
        return default_storage.open(_name(attachment_id, size))
    except FileNotFoundError:
        return None


def files_delete(attachment_id: UUID, kind: str) -> None:
    for size in SIZES[kind]:
        default_storage.delete(_name(attachment_id, size))


def file_names(attachment_id: UUID, kind: str) -> list[str]:
    """Return the names of an attachment's files in the storage: paths below the media folder, or keys of a
    bucket."""
    return [_name(attachment_id, size) for size in SIZES[kind]]


def _name(attachment_id: UUID, size: str) -> str:
    return f"attachments/{attachment_id.hex[-2:]}/{attachment_id}-{size}.{_ENDINGS[size]}"
