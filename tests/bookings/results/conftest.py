"""Results that can be collected, made once for a module."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from bookings.models import HandOff
from tests.factories.cast import NOW, Cast
from tests.factories.results import released


@pytest.fixture(scope="module")
def made_once(
    shared_cast: Cast, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[HandOff, Path]:
    """Results of Wang's booking and the folder of their files, which stay as they are: for modules of
    which all tests want them."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr("django.utils.timezone.now", lambda: NOW)
        with override_settings(MEDIA_ROOT=folder):
            return released(shared_cast), folder


@pytest.fixture
def hand_off(cast: Cast, made_once: tuple[HandOff, Path], settings: Any, tmp_path: Path) -> HandOff:
    """A copy of the row, and of its files where uploads lie."""
    made, folder = made_once
    settings.MEDIA_ROOT = shutil.copytree(folder, tmp_path / "media")
    return copy.deepcopy(made)
