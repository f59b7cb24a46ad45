"""Identity of scanners: which series count as one scanner, and what it is called."""
