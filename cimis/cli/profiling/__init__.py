"""Where the time and the memory of one command go."""
