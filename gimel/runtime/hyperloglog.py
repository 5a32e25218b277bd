"""What Redis' PFCOUNT says, before Redis rounded it.

A counter is split into shards and its count is the sum of theirs. PFCOUNT answers in whole numbers, so every shard is rounded
on its own; while a shard is small its estimate lies a like fraction above a whole number each time, and a sum of many shards
adds those fractions up to a bias. The estimate of a small HyperLogLog follows from how many of its 16,384 registers are in
use, a whole number too, so the rounding can be undone.
"""

import math

REGISTERS = 16384


def unrounded(count: int) -> float:
    """Return the estimate (distinct elements) that PFCOUNT rounded to `count`, for the HyperLogLog of one shard.

    Below 2,000 the estimate is that of linear counting, -m ln(1 - used/m), for the whole number of used registers nearest to
    `count` (Whang et al. 1990, "A linear-time probabilistic counting algorithm"). From 2,000 on the rounding no longer matters
    and `count` is returned as it is.
    """
    if not 0 < count < 2000:
        return float(count)
    used = round(-REGISTERS * math.expm1(-count / REGISTERS))
    return -REGISTERS * math.log1p(-used / REGISTERS)
