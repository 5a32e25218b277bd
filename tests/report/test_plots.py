"""Plots of rates and lifts, as the numbers that are drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Count
from gimel.analysis.experiment import Counted, analyse
from gimel.report import plots

counts = st.integers(0, 10**12) | st.floats(1e-3, 1e20)


@given(
    arms=st.lists(
        st.tuples(counts, counts, st.sampled_from(["1", "16", "exact"])), min_size=1, max_size=5
    ),
    name=st.text(max_size=200),
)
def test_no_count_breaks_a_plot(arms: list[tuple[float, float, str]], name: str) -> None:
    """All that is drawn lies inside the plot, in its order, and the axis has a label at least."""
    visitors = {
        f"{number}{name}": Count.of({kind: seen}) for number, (seen, _, kind) in enumerate(arms)
    }
    converted = {
        f"{number}{name}": Count.of({kind: done}) for number, (_, done, kind) in enumerate(arms)
    }
    (goal,) = analyse(Counted("e", visitors, {"g": converted})).goals
    for plot in filter(None, [plots.rates(goal), plots.lifts(goal)]):
        assert 1 <= len(plot.ticks) <= 12
        assert plot.mark is None or 0 <= plot.mark <= plots.WIDTH
        for bar in plot.bars:
            if bar.x is not None:
                inside = [0, bar.low, bar.x, bar.high, plots.WIDTH]
                assert inside == sorted(inside)
                wide = [
                    0,
                    bar.wide_low or 0,
                    bar.low,
                    bar.high,
                    bar.wide_high or plots.WIDTH,
                    plots.WIDTH,
                ]
                assert wide == sorted(wide)
