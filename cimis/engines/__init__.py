"""Engines: what is stored as frames of engines that work in several processes or machines."""
