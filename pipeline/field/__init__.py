"""What the field knows: items, units, time, places, and who has rows."""
