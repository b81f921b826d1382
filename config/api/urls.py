"""The addresses of the API: those that the `urls` modules of areas list as `api`, and those common to all."""

from typing import Any

from django.urls import path, re_path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.areas import addresses
from accounts.domain.errors import NotFound
from config.api import docs


class Unknown(Endpoint):
    """Answers 404 at every address that does not exist."""

    schema = None
    only_reads = True  # it is not there, whoever asks

    def _not_there(self, request: Request, **kwargs: Any) -> Response:
        raise NotFound

    get = post = put = patch = delete = _not_there


urlpatterns = [
    path("schema/", docs.schema, name="api-schema"),
    path("docs/", docs.docs, name="api-docs"),
    *addresses("api"),
    re_path("", Unknown.as_view(), name="api-unknown"),
]
