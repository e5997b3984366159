"""Splits: what is stored in pieces that engines of several processes or machines read."""
