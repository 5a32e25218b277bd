"""What ad blockers block, decided by their own engine and lists.

The engine is Ghostery's. Its lists come in the package of a web crawler: EasyList, EasyPrivacy, the
lists of uBlock Origin and lists against cookie banners, as Ghostery ships them. They are under the
GPL and Creative Commons, so the tests download them, and Gimel contains none of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.page.node import run_node
from tests.support.npm import files, package

# Lists can only be read by an engine of the version that wrote them.
_ENGINE = ("@ghostery/adblocker", "2.15.0")
_LISTS = ("@browserless/goto", "10.12.13")

_PROGRAM = """
const { FiltersEngine, Request } = require(ENGINE);
const lists = require("fs").readFileSync(LISTS);
const engine = FiltersEngine.deserialize(new Uint8Array(lists));
const blocked = REQUESTS.map((each) => engine.match(Request.fromRawDetails(each)).match);
console.log(JSON.stringify(blocked));
"""


@dataclass(frozen=True)
class Request:
    """A request of a page: `type` is fetch, ping (sendBeacon) or script, `sourceUrl` the page's."""

    url: str
    sourceUrl: str  # noqa: N815 - the engine's name
    type: str = "fetch"


def blocked(requests: Sequence[Request]) -> list[bool]:
    """Return of each request whether it is blocked."""
    values = {
        "ENGINE": str(package(*_ENGINE)),
        "LISTS": str(files(*_LISTS) / "src" / "engine.bin"),
        "REQUESTS": [asdict(each) for each in requests],
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    found: list[bool] = run_node(constants + _PROGRAM)
    return found
