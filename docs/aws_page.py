"""Write the outputs on aws.md: the commands, typed on an 80-column terminal.

They run on an emulated account that executes the functions. Ids, times and addresses vary, and are
replaced by those of a real account.
"""

from __future__ import annotations

import os
import pty
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.account import Account, variables
from tests.support.configurations import memory
from tests.support.emulator import running_emulator
from tests.support.servers import running_store
from tests.support.warm_process import Commands, warm_commands

PAGE = Path(__file__).with_name("aws.md")
_BLOCK = re.compile(r"<!-- output (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def typed(account: Account, commands: Commands, *arguments: str, answer: str = "") -> str:
    """Return what a command prints on an 80-column terminal, and the answer to its question."""
    terminal, other_end = pty.openpty()
    known = {**variables(account.url), "TERM": "dumb", "COLUMNS": "80"}
    with os.fdopen(other_end, "r+b", buffering=0) as stream:
        process = commands.start_on(stream, *arguments, home=account.file.parent, **known)
    if answer:
        os.write(terminal, f"{answer}\n".encode())
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # which is how a terminal ends
            break
        if not piece:
            break
        shown += piece
    process.wait()
    os.close(terminal)
    text = shown.decode().replace("\r\n", "\n")
    if answer and text.startswith(f"{answer}\n"):  # the echo precedes the question
        text = text.removeprefix(f"{answer}\n")
    question = "]: "
    if answer:
        text = text.replace(question, f"{question}{answer}\n", 1)
    return f"$ gimel {' '.join(arguments)}\n{text.rstrip()}\n"


def outputs(account: Account, commands: Commands) -> dict[str, str]:
    """Return the output of each command, by its name on the page."""
    account.configure()
    said = {
        "preflight": typed(account, commands, "preflight"),
        "deploy": typed(account, commands, "deploy", answer="y"),
    }
    account.configure(aws=memory(256))
    said["change"] = typed(account, commands, "deploy", answer="y")
    account.redis["password"] = "wrong"  # noqa: S105
    account.configure(aws=memory(256))
    said["broken"] = typed(account, commands, "deploy", "--no-preflight", answer="y")
    del account.redis["password"]
    account.configure(aws=memory(256))
    said["status"] = typed(account, commands, "status")
    said["history"] = typed(account, commands, "status", "--history")
    said["rollback"] = typed(account, commands, "rollback")
    said["key"] = typed(account, commands, "key", "rotate", answer="y")
    said["destroy"] = typed(account, commands, "destroy", answer="y")
    return {name: _as_on_aws(text, account) for name, text in said.items()}


def _as_on_aws(text: str, account: Account) -> str:
    """Return an output with the addresses, ids and times of an account on AWS."""
    text = re.sub(
        re.escape(account.url) + r"/restapis/\w+/prod/_user_request_",
        "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod",
        text,
    )
    text = text.replace(f"127.0.0.1:{account.redis['port']}", "redis.example.com:6379")
    text = text.replace("000000000000", "123456789012")
    text = text.replace(str(account.file), "config.json")
    text = re.sub(r"(?<=API key )\w{20,}", "kq3vN8xW2mR7pT5yB1cZ9dF4", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", "2026-11-26T12:00Z", text)
    text = re.sub(r"Deployed in \d+ s", "Deployed in 9 s", text)
    text = text.replace("Since 2026-11-26", "Since 2026-11-25")
    text = re.sub(r"at most [\d,]+ ms", "at most 9 ms", text)
    return re.sub(r"\b\d+\.\d+ ms\b", "1 ms", text)


def page(said: dict[str, str]) -> str:
    """Return the page with these outputs."""

    def block(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- output {name} -->\n```console\n{said[name]}```\n<!-- end -->"

    return _BLOCK.sub(block, PAGE.read_text())


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (
            running_emulator() as emulator,
            running_store(home) as store,
            warm_commands() as commands,
        ):
            redis = {"host": "127.0.0.1", "port": store.port}
            account = Account(emulator, home / "config.json", redis)
            PAGE.write_text(page(outputs(account, commands)))


if __name__ == "__main__":
    main()
