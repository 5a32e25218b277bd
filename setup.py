"""Build the package, which pyproject.toml describes, into archives that anybody can check.

Archives of setuptools contain the times, owners and modes of the files. These depend on their
content alone, so that two builds of a release have the same bytes.
"""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.sdist import sdist

_TIME = 1_577_836_800  # 2020-01-01: zip archives cannot hold 1970


class ReproducibleSdist(sdist):
    """Writes the archive with fixed times, owners and modes."""

    def make_archive(self, base_name: str, *_: Any, base_dir: str, **__: Any) -> str:
        path = f"{base_name}.tar.gz"
        with (
            Path(path).open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=_TIME) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for member in sorted(each for each in Path(base_dir).rglob("*") if each.is_file()):
                archive.add(member, filter=_normalized)
        return path


def _normalized(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.mode = _TIME, 0o755 if member.mode & 0o100 else 0o644
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


os.environ.setdefault("SOURCE_DATE_EPOCH", str(_TIME))  # for wheels
setup(cmdclass={"sdist": ReproducibleSdist})
