"""A command line to type on, as for the tests of the commands."""

from tests.cli.conftest import typed

__all__ = ["typed"]
