"""Answers with what their figures mean on them: first rows for notebooks, pandas, xarray."""
