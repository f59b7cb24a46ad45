"""Tests of the room of CT slices on disk."""
