"""Collect the models of all areas of this app, because Django looks for them here."""

from pkgutil import iter_modules

import instruments
from accounts.areas import modules

_packages = (f"instruments.{each.name}" for each in iter_modules(instruments.__path__) if each.ispkg)
for _models in modules("models", _packages):
    globals().update({name: getattr(_models, name) for name in _models.__all__})
