"""The conversation of ``cimis sql``: questions and dot commands, typed or out of a script."""
