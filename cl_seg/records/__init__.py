"""Records of finished runs, written by suites and read by the analysis."""
