"""Tests of the measurements of a base model."""
