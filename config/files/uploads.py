"""Limit the size of request bodies before they are read."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler

from instruments.attachments.domain.attachments import MOST_BYTES
from instruments.exchange.domain.many import MOST_PHOTOS
from instruments.reading.domain.delimited import MAX_BYTES

FORM = 1_000_000  # for what a form has besides its file
MOST_FILES = 5  # of one request, except to these addresses
MANY_FILES = {"import-photos": MOST_PHOTOS, "api-import-photos": MOST_PHOTOS}
MOST = max(MAX_BYTES, *MOST_BYTES.values()) + FORM


class Bounded(FileUploadHandler):
    """Refuses a body whose declared length is too large, and more files than its address takes; leaves the
    files in it to other handlers."""

    number = 0

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > MOST:
            raise RequestDataTooBig("The file is too large.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.number += 1
        match = self.request.resolver_match if self.request else None
        most = MANY_FILES.get(match.url_name or "", MOST_FILES) if match else MOST_FILES
        if self.number > most:
            raise TooManyFilesSent("There are too many files.", most)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
