"""The struct walker: from a parameter or the result to any member behind it, as plain fetch arguments."""

from kptui.probes.walk.spot import Reached, Spot, offsets_of
from kptui.probes.walk.walker import PathError, Walker

__all__ = ["PathError", "Reached", "Spot", "Walker", "offsets_of"]
