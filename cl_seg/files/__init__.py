"""Reads and writes files: whole or not at all, damage told in one line."""
