"""The verdict on one experiment and its figures, as a part of a page that is not the dashboard.

It has the words and the look of the dashboard. The page needs `style`, and a heading with the id
`anchor(name)`, which names the part for screen readers.
"""

from __future__ import annotations

from collections.abc import Mapping

from gimel import templating
from gimel.analysis.experiment import Experiment
from gimel.report import views, wording


def verdict(experiment: Experiment, ignored: Mapping[str, int], now: float) -> str:
    """Return the banner, the data checks and a table per goal, as HTML.

    Before the first conversion there is a table of the visitors instead. `ignored` are the ignored
    events of experiments that do not exist, by reason: a limit may have refused this one.
    """
    return templating.render(
        "gimel.report",
        "live.html.j2",
        view=views.experiment_view(experiment, now),
        limit=wording.limit_warning([experiment], {} if experiment.arms else ignored),
    )


def anchor(name: str) -> str:
    """Return the id of the heading of an experiment."""
    return views.anchor(name)


def style() -> str:
    """Return the style sheet of the dashboard."""
    return templating.source("gimel.report", "style.css")
