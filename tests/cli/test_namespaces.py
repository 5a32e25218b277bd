"""`gimel namespaces`, and the commands that find nothing, which name the namespaces too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import answer
from tests.support.events import EVENT
from tests.support.runner import Done, invoke
from tests.support.served import serving
from tests.support.stubs import answering

KEY = "secret-key-0123456789"


def listing(home: Path, *options: str, names: list[str] | None, more: bool = False) -> Done:
    """Return what the command prints where these namespaces exist."""
    page: list[Any] = answer()
    page[0]["meta"].update({"namespaces": names, "more_namespaces": more})
    with answering(body=page) as stub:
        return invoke("namespaces", "--url", stub.url, "--api-key", KEY, *options, home=home)


def test_a_typo_and_an_empty_store_differ(tmp_path: Path) -> None:
    """On a real server: what exists is listed, and named where nothing is found."""
    event = {name: text for name, text in EVENT.items() if name != "namespace"}
    with serving(tmp_path) as served:

        def run(*words: str) -> Done:
            return invoke(*words, "--local", "--url", served.url, home=tmp_path)

        assert run("namespaces").stderr.startswith("There is no namespace yet")
        assert "No other namespace exists." in run("results").stderr
        for namespace in ("blog", "shop"):
            served.track(namespace, **event)
        assert run("namespaces").stdout == "blog\nshop\n"
        typo = run("results", "--namespace", "shopp")
    assert typo.exit_code == 1
    assert "There is no experiment in the namespace 'shopp'." in typo.stderr
    assert "Namespaces that exist: 'shop', 'blog'. --namespace selects one of them." in typo.stderr


def test_a_name_is_one_line(tmp_path: Path) -> None:
    """Whatever it contains."""
    done = listing(tmp_path, names=["größe", "a\nb\x1b[31m"])
    assert (done.exit_code, done.stdout) == (0, "a\\u000ab\\u001b[31m\ngröße\n")


def test_json_has_the_names_as_they_are(tmp_path: Path) -> None:
    """And whether there are more."""
    done = listing(tmp_path, "--json", names=["a\nb"], more=True)
    assert json.loads(done.stdout) == {"namespaces": ["a\nb"], "more": True}
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("names", "more", "code", "said"),
    [
        (["a", "b"], True, 0, "There are more: only the first 2 are listed."),
        ([], False, 0, "There is no namespace yet: one appears after its first event."),
        (None, False, 1, "does not list its namespaces."),
    ],
    ids=["more", "none", "unknown"],
)
def test_what_is_missing_is_said_apart_from_the_names(
    names: list[str] | None, more: bool, code: int, said: str, tmp_path: Path
) -> None:
    """On stderr, so that a program reads only names."""
    done = listing(tmp_path, names=names, more=more)
    assert (done.exit_code, done.stdout) == (code, "".join(f"{name}\n" for name in names or []))
    assert said in done.stderr
