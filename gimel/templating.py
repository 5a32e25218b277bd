"""Jinja2 for the templates beside the code that uses them: `gimel/<package>/templates/`.

Values come in, text goes out. A template is read when it is first rendered, never on import.
"""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(package: str, template: str, **values: Any) -> str:
    """Return a template of a package, such as "gimel.report", filled in with the values.

    Every value is escaped as HTML unless the template marks it as safe.
    """
    return _environment(package).get_template(template).render(**values)


@functools.cache
def source(package: str, file: str) -> str:
    """Return the text of a file in the templates folder of a package, not filled in."""
    return (files(package) / "templates" / file).read_text("utf-8")


@functools.cache
def _environment(package: str) -> Environment:
    """Return the environment that caches a package's compiled templates."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
