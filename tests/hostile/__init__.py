"""Broken and hostile inputs through the command line: the right result, or one clear line."""
