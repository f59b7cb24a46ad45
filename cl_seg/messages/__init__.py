"""Errors and the words of messages."""
