"""Tests of the identity of scanners."""
