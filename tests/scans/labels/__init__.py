"""Tests of label files."""
