"""One small file per command, imported when that command is used."""
