"""From a slice store to an Avalanche benchmark with one experience per scanner."""
