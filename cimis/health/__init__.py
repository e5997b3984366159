"""Whether an installation is fit to fetch and to answer: looked at, and told line by line."""
