"""The results as they are read back from JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from gimel.analysis.design import Design
from gimel.report import export
from tests.support.answers import analysed


def read_csv(item: dict[str, Any], design: Design | None = None) -> list[dict[str, str]]:
    text = export.to_csv([analysed(item, design)], "shop")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def describe(item: dict[str, Any], design: Design | None = None) -> dict[str, Any]:
    """Return an experiment as it is read back from JSON."""
    document = json.loads(export.to_json([analysed(item, design)], "shop", {}))
    described: dict[str, Any] = document["experiments"][0]
    return described
