"""A slice store as an Avalanche benchmark with one experience per scanner."""
