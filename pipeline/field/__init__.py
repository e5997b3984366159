"""What the field knows: time as the network keeps it, and who has rows."""
