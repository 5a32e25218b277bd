"""Redis rounds what a HyperLogLog counts to an integer; in a sum of many small shards that adds up to a bias.

A HyperLogLog of n uuids has on average 16384 (1 - exp(-n/16384)) occupied registers, and below 2000 Redis' estimate is that
relation inverted (linear counting), then rounded. Rounding to the nearest number of registers and inverting again gives back
what was rounded away.
"""

from math import exp, log1p

REGISTERS = 16384
_EXACT_BELOW = 2000


def unrounded(count: int) -> float:
    """Return the estimate behind one shard's PFCOUNT. From 2000 on, where rounding no longer matters, the count itself."""
    if not 0 < count < _EXACT_BELOW:
        return float(count)
    occupied = round(REGISTERS * (1 - exp(-count / REGISTERS)))
    return -REGISTERS * log1p(-occupied / REGISTERS)
