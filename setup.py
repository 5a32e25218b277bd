"""A thin file for tools that look for setup.py. The package is described in pyproject.toml."""

from setuptools import setup

setup()
