"""`gimel dashboard` in a real browser: pages of an API, and the report as a file."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support import crowd
from tests.support.browser import Visitors
from tests.support.command import environment, gimel_here
from tests.support.dashboards import KEY, SIMULATED
from tests.support.served import Served
from tests.support.servers import Store


@contextlib.contextmanager
def local_dashboard(home: Path, *options: str, **variables: str) -> Iterator[str]:
    """Run `gimel dashboard` for the length of a with block; yield its address."""
    command = [sys.executable, "-m", "gimel", "dashboard", "--no-browser", *options]
    process = subprocess.Popen(
        command,
        cwd=home,
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        address = re.search(r"http://\S+", line)
        assert address, f"{line}{process.communicate()}"
        yield address[0]
    finally:
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        assert KEY not in f"{line}{out}{errors}"
        assert (process.returncode, errors.strip()) == (130, "Interrupted.")


def test_gimel_dashboard_shows_an_api_without_its_key(
    tmp_path: Path, dashboard: Served, simulated: Store, quiet_visitors: Visitors
) -> None:
    """The pages are the same; the key stays in the process, which sends DELETE to the API."""
    with simulated.client() as client:
        crowd.count(client, "mine", "e", {"a": (900, {"buy": 90}), "b": (910, {"buy": 80})})
    with local_dashboard(
        tmp_path, "--url", dashboard.url, "--namespace", "mine", GIMEL_API_KEY=KEY
    ) as local:
        page = quiet_visitors.page()
        asked: list[Any] = []
        page.on("request", lambda request: asked.append(request))
        page.goto(local.removesuffix("/dashboard"))
        page.get_by_role("link", name="e", exact=True).click()
        contents = page.content()
        page.get_by_role("link", name="Delete this experiment").click()
        contents += page.content()
        page.get_by_role("button", name="Delete permanently").click()
        page.wait_for_selector("text=Deleted: e")
        assert {
            urlsplit(request.url).netloc for request in asked if not request.url.startswith("data:")
        } == {urlsplit(local).netloc}
        assert KEY not in contents + "".join(f"{request.url}{request.headers}" for request in asked)
    assert dashboard.experiments(namespace="mine")[1:] == []


def test_a_report_is_one_file_that_needs_nothing(
    tmp_path: Path, dashboard: Served, quiet_visitors: Visitors
) -> None:
    """Every experiment with its plots and tables; opened from the disk it requests nothing."""
    done = gimel_here(
        "dashboard",
        "--output",
        "report.html",
        "--url",
        dashboard.url,
        "--api-key",
        KEY,
        home=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    page = quiet_visitors.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("article").count() == len(SIMULATED)
    assert page.locator("tbody a").count() == len(SIMULATED)
    assert page.locator("script, form, link[rel=stylesheet]").count() == 0
    page.get_by_role("link", name="footer").click()
    assert page.evaluate("decodeURIComponent(location.hash).length") > 1
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert KEY not in page.content()
