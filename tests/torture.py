"""How much is killed and damaged: a little in every run, a lot where PHOTOMAP_TORTURE=1 asks for it, as at night.

PHOTOMAP_KILLS and PHOTOMAP_FUZZ say how much by themselves.
"""

import os

IS_LONG = os.environ.get("PHOTOMAP_TORTURE", "0") != "0"


def kills(usual: int = 4, long: int = 200) -> int:
    """Return how often something is killed, or its disk full."""
    return int(os.environ.get("PHOTOMAP_KILLS", long if IS_LONG else usual))


def inputs(usual: int, long: int) -> int:
    """Return how many damaged inputs are tried."""
    return int(os.environ.get("PHOTOMAP_FUZZ", long if IS_LONG else usual))
