"""The pictures of the dashboard in docs/pictures/: `python docs/pictures.py` takes them again.

They show the experiments of `gimel dashboard --demo` at a fixed time. `pages.json` has a hash of
each page that was pictured, by which a test recognises pictures that are out of date.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gimel.analysis.experiment import analyse, analyse_all
from gimel.report import html
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve.demo import DESIGNS, Demo

FOLDER = Path(__file__).with_name("pictures")
HASHES = FOLDER / "pages.json"

_NOW = 1_790_000_000
_SIZES = {"light": (1280, 800), "dark": (1280, 800), "phone": (390, 844)}
_CHROMIUM = "/usr/bin/chromium"


def pages() -> dict[str, str]:
    """Return the pages to picture by name, as HTML."""
    demo = Demo(_NOW)
    choices = html.Choices(DEFAULT_NAMESPACE, DEFAULT_NAMESPACE)
    frame = html.Frame("made up for this demo", is_demo=True)
    everything = demo.experiments(DEFAULT_NAMESPACE)
    found = {
        "overview": html.overview(
            analyse_all(everything, DESIGNS, now=_NOW), {}, choices, frame, _NOW
        )
    }
    for name, experiment in (("winner", "button colour"), ("harm", "price with tax")):
        counts = demo.experiment(DEFAULT_NAMESPACE, experiment)
        shown = analyse(counts, DESIGNS.get(experiment), now=_NOW)
        found[name] = html.experiment(shown, choices, frame, _NOW)
    return found


def hashes() -> dict[str, str]:
    """Return a hash of each page."""
    return {name: hashlib.sha256(page.encode()).hexdigest() for name, page in pages().items()}


def main() -> None:
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, page in pages().items():
            for suffix, (width, height) in _SIZES.items():
                tab = browser.new_page(viewport={"width": width, "height": height})
                tab.emulate_media(color_scheme="dark" if suffix == "dark" else "light")
                tab.set_content(page)
                tab.screenshot(path=FOLDER / f"{name}-{suffix}.png")
                tab.close()
        browser.close()
    HASHES.write_text(json.dumps(hashes(), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
