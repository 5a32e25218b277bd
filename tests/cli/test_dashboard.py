"""`gimel dashboard`: its errors, and the report that it writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gimel.serve import web
from tests.support.answers import answer, row
from tests.support.command import gimel_here
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"


def test_a_report_without_experiments_is_an_error(tmp_path: Path) -> None:
    """No file is written."""
    with answering(body=answer()) as stub:
        done = gimel_here(
            *("dashboard", "--output", "r.html", "--namespace", "nowhere", "--url", stub.url),
            home=tmp_path,
            GIMEL_API_KEY=KEY,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no experiment in the namespace 'nowhere'." in done.stderr
    assert not (tmp_path / "r.html").exists()


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """With the system's reason."""
    with answering(body=answer(row("e", {"a": (10, {}), "b": (12, {})}))) as stub:
        done = gimel_here(
            *("dashboard", "--output", "absent/r.html", "--url", stub.url),
            home=tmp_path,
            GIMEL_API_KEY=KEY,
        )
    assert done.returncode == 1
    assert "absent/r.html cannot be written: No such file or directory." in done.stderr


def test_a_report_uses_the_designs_of_the_configuration(tmp_path: Path) -> None:
    """The control and the roles of the goals; the goals are open, the details closed."""
    (tmp_path / "config.json").write_text(
        '{"experiments": {"e": {"control": "red", "goal": "sign up"}}}'
    )
    variants = {"blue": (900, {"buy": 90, "sign up": 9}), "red": (901, {"buy": 91, "sign up": 10})}
    with answering(body=answer(row("e", variants, ("buy", "sign up")))) as stub:
        done = gimel_here(
            *("dashboard", "--output", "r.html", "--url", stub.url),
            home=tmp_path,
            GIMEL_API_KEY=KEY,
        )
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "r.html").read_text()
    assert "control: red<" in report
    roles = re.findall(r'<strong><bdi>([^<]+)</bdi></strong> <span class="role">(\w+)<', report)
    assert roles == [("sign up", "primary"), ("buy", "secondary")]
    assert re.findall(r'<details class="(\w+)[^>]*?( open)?>', report) == [
        ("glossary", ""),
        ("checks", ""),
        ("goal", " open"),
        ("statistics", ""),
        ("goal", " open"),
        ("statistics", ""),
    ]


def test_the_address_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to stop it; on a free port of this machine."""
    monkeypatch.setattr(web, "run", lambda *_: None)
    done = gimel_here("dashboard", "--demo", "--no-browser", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Dashboard  http://127.0.0.1:")
    assert done.stdout.endswith("/dashboard (press Ctrl-C to stop)\n")


def test_an_empty_key_is_an_error(tmp_path: Path) -> None:
    """Before anything is served."""
    done = gimel_here(
        "dashboard", "--no-browser", "--url", "https://host", "--api-key", "", home=tmp_path
    )
    assert done.returncode == 1
    assert "The API key is empty or contains invalid characters." in done.stderr
