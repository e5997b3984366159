"""Pages: reports as one file of HTML that needs no network."""
