"""Tables of any Arrow kind as rows of a chunk."""
