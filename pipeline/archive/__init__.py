"""Importers of the network's FTP archives and web-report files."""
