"""DuckDB over the chunks: a sandboxed engine with the store's views, and answers to SQL."""

from queries.duck.answer import Answer
from queries.duck.engine import Engine, Parameters

__all__ = ["Answer", "Engine", "Parameters"]
