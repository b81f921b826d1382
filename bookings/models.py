"""The tables of all areas of bookings, gathered here because Django looks for them in this module."""

from accounts.areas import modules
from bookings.areas import PACKAGES

for _models in modules("models", (package for package in PACKAGES if package.startswith("bookings."))):
    globals().update({name: getattr(_models, name) for name in _models.__all__})
