"""The pictures of the dashboard in docs/pictures/ show the pages as they are now."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "docs/pictures.py"


def test_the_pictures_are_of_the_current_pages() -> None:
    """The pages that would be pictured now have the hashes of those that were."""
    spec = importlib.util.spec_from_file_location("pictures", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)

    kept = json.loads((ROOT / "docs/pictures/pages.json").read_text("utf-8"))
    assert pictures.hashes() == kept, "Run `python docs/pictures.py`, and look at what changed."


@pytest.mark.parametrize("suffix", ["light", "dark", "phone"])
@pytest.mark.parametrize("name", ["overview", "winner", "harm"])
def test_each_page_is_pictured(name: str, suffix: str) -> None:
    """In light, in dark, and on a phone."""
    start = (ROOT / f"docs/pictures/{name}-{suffix}.png").read_bytes()[:8]
    assert start == b"\x89PNG\r\n\x1a\n"
