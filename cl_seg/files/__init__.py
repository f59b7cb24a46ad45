"""Reads and writes files: whole or not at all, damage reported in one line."""
