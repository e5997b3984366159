"""Benchmarks: each measures a claim beside its rival, in one run."""
