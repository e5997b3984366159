"""Whom a question or a fetch means."""
