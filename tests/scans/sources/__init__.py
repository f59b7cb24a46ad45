"""Tests of folders and manifests."""
