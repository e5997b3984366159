"""Pictures: which stored rows a chart shows."""
