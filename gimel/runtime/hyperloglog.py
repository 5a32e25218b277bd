"""The estimate behind Redis' PFCOUNT, before Redis rounds it.

A counter's count is the sum of the counts of its shards. PFCOUNT answers whole numbers, so each
shard is rounded separately. The estimates of small shards all lie a similar fraction above a whole
number, so that the sum of many shards adds these fractions up to a bias. The estimate of a small
HyperLogLog depends only on how many of its 16,384 registers are in use, which is a whole number
too, so the rounding can be undone.
"""

import math
from functools import lru_cache

REGISTERS = 16384
"""How many registers a HyperLogLog of Redis has."""


@lru_cache(maxsize=2000)  # shards of a counter have similar counts
def unrounded(count: int) -> float:
    """Return the estimate (distinct elements) of one HyperLogLog that PFCOUNT rounded to `count`.

    Below 2,000 the estimate is that of linear counting, -m ln(1 - used/m), with the number of used
    registers that comes nearest to `count` (Whang et al. 1990, "A linear-time probabilistic
    counting algorithm"). From 2,000 on, rounding does not matter and `count` is returned
    unchanged.
    """
    if not 0 < count < 2000:
        return float(count)
    used = round(-REGISTERS * math.expm1(-count / REGISTERS))
    return -REGISTERS * math.log1p(-used / REGISTERS)
