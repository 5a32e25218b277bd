"""The JSON of `GET /experiments?concluded=true`, parsed once into concluded experiments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from gimel.analysis import concluded
from gimel.analysis.concluded import Concluded
from gimel.api import answers
from gimel.errors import GimelError


class _Item(answers.Model):
    experiment: str
    concluded: dict[str, Any]
    since: Annotated[int, Field(ge=0)] | None = None
    ignored: dict[str, Annotated[int, Field(ge=0)]] = Field(default={})
    history: answers.History = answers.History()


class _Meta(answers.Model):
    concluded: bool = False
    next: str | None = None


class _Head(answers.Model):
    meta: _Meta


def read(fetch: Callable[[str | None], object], source: str) -> tuple[Concluded, ...]:
    """Return the concluded experiments on all pages of an answer, the latest first.

    `fetch(page)` returns a page as parsed JSON; None stands for the first.

    Raises:
        GimelError: A page is not such an answer, or the server does not know concluded experiments.
    """
    found: list[Concluded] = []
    page: str | None = None
    for _ in range(answers.MOST_PAGES):
        items = answers.items(fetch(page), _Head, _Item, source)
        meta = items[0].meta
        if not meta.concluded:
            raise GimelError(
                f"{source} does not keep concluded experiments.", "Update it with `gimel deploy`."
            )
        found += map(_concluded, items[1:])
        page = meta.next
        if page is None:
            return tuple(sorted(found, key=lambda each: (-(each.at or 0), each.name)))
    raise answers.malformed(source, "its pages have no end")


def _concluded(item: Any) -> Concluded:
    return concluded.read(
        item.concluded,
        item.experiment,
        since=item.since,
        ignored=item.ignored,
        history=tuple(answers.points(item.history)),
    )
