from instruments.exchange.models.harvests import Fetching, Harvest
from instruments.exchange.models.imports import Import, ImportChunk, ImportMapping, ImportRow, ImportTerm
from instruments.exchange.models.polling import PolledAddress

__all__ = [
    "Fetching",
    "Harvest",
    "Import",
    "ImportChunk",
    "ImportMapping",
    "ImportRow",
    "ImportTerm",
    "PolledAddress",
]
