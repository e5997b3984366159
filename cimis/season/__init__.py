"""What a season amounts to: degree days, chill, normals, crop water, files for models."""
