"""`gimel client`: the client for the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import gimel
from gimel.page.client import declarations, script
from tests.cli.conftest import Done


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), script()),
        (("--module",), script(module=True)),
        (("--readable",), script(readable=True)),
        (("--types",), declarations()),
    ],
)
def test_gimel_client_prints_it(
    run: Callable[..., Done], options: tuple[str, ...], expected: str
) -> None:
    """And nothing else, so that the output can be a file."""
    assert run("client", *options) == Done(0, expected, "")
    assert expected.startswith("//")
    assert gimel.__version__ in expected or "--types" in options


def test_the_types_are_printed_alone(run: Callable[..., Done]) -> None:
    """A script and its declarations are two files."""
    done = run("client", "--types", "--module")

    assert done.code == 2
    assert "--types cannot be combined" in done.stderr
