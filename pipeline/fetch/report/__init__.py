"""What a run tells: its progress, its numbers, its outcome."""
