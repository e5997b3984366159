"""The mirror: a derived copy of a scope's rows in the engine's own form, which keeps itself."""
