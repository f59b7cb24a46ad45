"""Words of errors and messages."""
