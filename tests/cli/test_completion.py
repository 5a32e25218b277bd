"""What Tab completes: commands, options, experiments, namespaces; quickly, and never an error."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gimel.cli import completion, connection
from gimel.cli.completion import quote_for_bash
from tests.support.answers import answer, row
from tests.support.command import environment
from tests.support.runner import Done, invoke
from tests.support.stubs import Stub, answering

HOSTILE = ["a;id", "a$(id)", "a`id`", "it's", 'say "hi"', "b\\", "signup button", "100%*", "“q”"]
SKIPPED = ["a,b", "-x", "a\nb", "a\x1b[31m"]


def tab(*words: str, home: Path, shell: str = "zsh", **variables: str) -> Done:
    """Press Tab at the end of the last word of `gimel WORDS`; return what the shell gets."""
    if shell == "bash":
        line = "\n".join(["gimel", *words])
    else:  # as it was typed, where "" leaves nothing
        line = shlex.join(["gimel", *words]).removesuffix("''")
    asked = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    return invoke(home=home, _GIMEL_COMPLETE=f"{shell}_complete", **{**asked, **variables})


def completed(*words: str, home: Path, **variables: str) -> list[str]:
    """Return the values that are completed, without an error."""
    done = tab(*words, home=home, **variables)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.splitlines()[1::3]  # zsh gets kind, value and description


@pytest.fixture
def api() -> Iterator[Stub]:
    """An API with experiments and namespaces of all kinds of names."""
    rows = [row(name, {"red": (1, {})}) for name in ["shop", *HOSTILE, *SKIPPED]]
    page = answer(*rows)
    page[0]["meta"].update({"namespaces": ["blog", "a b"], "more_namespaces": False})
    with answering(body=page) as stub:
        yield stub


def test_commands_and_options_are_completed(tmp_path: Path) -> None:
    """With their summaries, and without a command being imported."""
    assert completed("s", home=tmp_path) == [
        "serve",
        "simulate",
        "snippet",
        "sample-size",
        "status",
    ]
    assert "Undo the newest deploy." in tab("roll", home=tmp_path).stdout
    assert completed("results", "--st", home=tmp_path) == ["--state"]
    assert completed("results", "--state", "d", home=tmp_path) == ["decided"]
    assert completed("key", "", home=tmp_path) == ["rotate"]
    assert tab("--config", "x", home=tmp_path).stdout.startswith("file\n")


@pytest.mark.parametrize("command", ["results", "delete"])
def test_experiments_of_an_api_are_completed(command: str, api: Stub, tmp_path: Path) -> None:
    """Its address is an option or a variable; the namespace is the one given."""
    options = ["--url", api.url, "--api-key", "key", "--namespace", "blog"]
    assert completed(command, *options, "s", home=tmp_path) == ['say "hi"', "shop", "signup button"]
    assert "namespace=blog" in api.asked[0][1]
    variables = {"GIMEL_URL": api.url, "GIMEL_API_KEY": "key"}
    assert completed(command, "sh", home=tmp_path, **variables) == ["shop"]
    assert completed(command, "--namespace", "", home=tmp_path, **variables) == ["a b", "blog"]


def test_experiments_of_gimel_serve_are_completed(
    api: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the key in its data directory."""
    key = tmp_path / ".gimel" / "data" / "api-key"
    key.parent.mkdir(parents=True)
    key.write_text("key-of-serve")
    assert completed("results", "--local", "--url", api.url, "sh", home=tmp_path) == ["shop"]
    assert api.sent[0]["x-api-key"] == "key-of-serve"
    monkeypatch.setattr(connection, "LOCAL_URL", api.url)
    assert completed("results", "--local", "sh", home=tmp_path) == ["shop"]


def test_without_an_address_the_configured_ones_are_completed(tmp_path: Path) -> None:
    """AWS is not asked. A file that is not valid completes nothing."""
    path = tmp_path / "config.json"
    path.write_text('{"experiments": {"from config": {}}, "allowed_experiments": ["allowed"]}')
    options = ["--config", str(path), "results"]
    assert completed(*options, "", home=tmp_path) == ["allowed", "from config"]
    assert completed(*options, "f", home=tmp_path) == ["from config"]
    path.write_text("{")
    assert completed(*options, "", home=tmp_path) == []


def test_an_api_that_does_not_answer_completes_what_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In time."""
    monkeypatch.setattr(completion, "SECONDS", 0.3)
    (tmp_path / ".gimel").mkdir()
    (tmp_path / ".gimel" / "config.json").write_text('{"experiments": {"known": {}}}')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        names = completed("results", "--url", url, "--api-key", "key", "", home=tmp_path)
        seconds = time.monotonic() - began
    assert names == ["known"]
    assert seconds < 2


@pytest.mark.parametrize(
    "words",
    [
        ["nope", ""],
        ["results", "--nope", ""],
        ["results", "--url", "http://127.0.0.1:1", "--api-key", "key", ""],
        ["results", "--url", "http://127.0.0.1:1", ""],
        ["results", "--url", "no url", "--api-key", "key", ""],
        ["results", "--local", ""],
        ["--config", "missing.json", "results", ""],
        ["results", "--lift", "much", ""],
        ["a\udcffb", ""],
        ["results", "one", ""],
    ],
    ids=ascii,
)
def test_a_mistake_prints_no_error(words: list[str], tmp_path: Path) -> None:
    """It would appear in the middle of the line that the user writes."""
    done = tab(*words, home=tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_shell_that_sends_nonsense_gets_nothing(tmp_path: Path) -> None:
    """And no traceback."""
    done = tab("results", "", home=tmp_path, COMP_CWORD="x")
    assert done == Done(0, "", "")


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_names_that_a_shell_would_read_as_code_are_skipped(
    shell: str, api: Stub, tmp_path: Path
) -> None:
    """zsh and fish quote what they insert; PowerShell does not."""
    options = ["--url", api.url, "--api-key", "key", ""]
    shown = tab("results", *options, home=tmp_path, shell=shell).stdout
    if shell == "powershell":  # click knows it since 8.5
        assert shown in ("", "plain\nshop\n_\n")
    elif shell == "fish":
        assert shown.splitlines() == [f"plain,{name}" for name in sorted(["shop", *HOSTILE])]
    else:
        assert shown.splitlines()[1::3] == sorted(["shop", *HOSTILE])


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("opened", ["", "'", '"'], ids=["plain", "single", "double"])
def test_bash_reads_a_completed_name_as_one_word(name: str, opened: str) -> None:
    """Also after a quotation mark that the user typed."""
    line = f"printf %s {opened}{quote_for_bash(name, opened)}{opened}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == name


def test_bash_completes_with_the_script_that_gimel_prints(api: Stub, tmp_path: Path) -> None:
    """In a real bash: a name with a space arrives as one word, quoted."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gimel").write_text(
        f'#!{sys.executable}\nfrom gimel.cli import main\nmain(prog_name="gimel")\n'
    )
    (folder / "gimel").chmod(0o755)
    script = (
        'eval "$(_GIMEL_COMPLETE=bash_source gimel)"; COMP_WORDS=(gimel results "\'si");'
        " COMP_CWORD=2; _gimel_completion gimel;"
        ' printf "%s\\n" "${COMPREPLY[@]}"; complete -p gimel'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        env={
            **environment(tmp_path, GIMEL_URL=api.url, GIMEL_API_KEY="key"),
            "PATH": f"{folder}:/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "signup button\ncomplete -o nosort -F _gimel_completion gimel\n"
