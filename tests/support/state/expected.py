"""Steps as a test expects them: the kind, and the facts that decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gimel.wiring import Route


@dataclass(frozen=True)
class Expected:
    """A step of this kind, with these values of its attributes; it may have more."""

    kind: type[Any]
    facts: tuple[tuple[str, Any], ...]

    def matches(self, step: object) -> bool:
        """Return whether a step is as expected."""
        return type(step) is self.kind and all(
            _plain(getattr(step, name)) == value for name, value in self.facts
        )

    def __repr__(self) -> str:
        return (
            f"{self.kind.__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts)})"
        )


def step(kind: type[Any], /, **facts: Any) -> Expected:
    """Return what to expect. A function is given by its name, a route as "GET /track"."""
    return Expected(kind, tuple(facts.items()))


def steps(kind: type[Any], name: str, values: Iterable[Any], /, **facts: Any) -> list[Expected]:
    """Return what to expect where one attribute has each of these values in turn."""
    return [step(kind, **{name: value}, **facts) for value in values]


def assert_steps(planned: Sequence[object], expected: Sequence[Expected]) -> None:
    """Check that a plan has exactly these steps, in any order: other tests check the order."""
    surplus, missing = list(planned), []
    for each in expected:
        found = next((index for index, it in enumerate(surplus) if each.matches(it)), None)
        if found is None:
            missing.append(each)
        else:
            del surplus[found]
    said = "".join(f"\n  surplus: {each!r}" for each in surplus)
    said += "".join(f"\n  missing: {each!r}" for each in missing)
    assert not said, said


def assert_order(planned: Sequence[object], *expected: Expected) -> None:
    """Check that a plan has these steps one after the other, with any others between them."""
    positions = [
        next((index for index, it in enumerate(planned) if each.matches(it)), None)
        for each in expected
    ]
    assert None not in positions, [
        each for each, position in zip(expected, positions, strict=True) if position is None
    ]
    assert positions == sorted(positions, key=lambda position: position or 0), planned


def _plain(value: Any) -> Any:
    if isinstance(value, Route):
        return f"{value.method} /{value.path}"
    for name in ("name", "path"):
        if hasattr(value, name):
            return getattr(value, name)
    return value
