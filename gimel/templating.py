"""Jinja2 for the templates that lie beside the code that uses them: `gimel/<package>/templates/`.

Values come in, text goes out. Nothing is written, and nothing is read before a template is asked for.
"""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(package: str, template: str, **values: Any) -> str:
    """Return a template of a package, such as "gimel.report", filled in.

    Whatever is not marked safe is escaped as HTML.
    """
    return _environment(package).get_template(template).render(**values)


@functools.cache
def source(package: str, file: str) -> str:
    """Return the text of a file in the templates folder of a package."""
    return (files(package) / "templates" / file).read_text("utf-8")


@functools.cache
def _environment(package: str) -> Environment:
    """Return the environment that keeps a package's compiled templates."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
