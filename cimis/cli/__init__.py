"""The command line: one small file per group of commands."""

import gc

gc.set_threshold(50_000, 20, 20)  # collecting while modules load is a twentieth of a small question
