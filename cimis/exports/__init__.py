"""Exports: what is stored as files and tables that other engines read without an adapter."""
