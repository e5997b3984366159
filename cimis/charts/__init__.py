"""Charts: what a chart is, how it is described, and how it is drawn."""
