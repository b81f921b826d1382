from instruments.register.models.blocks import HostBlock
from instruments.register.models.facilities import Facility
from instruments.register.models.instruments import Instrument, PastHost
from instruments.register.models.provenance import Provenance

__all__ = ["Facility", "HostBlock", "Instrument", "PastHost", "Provenance"]
