"""Stored chunks looked after: verified, migrated, adopted, counted."""
