"""From a suite file to its plan: runs, data, stages and their keys, without torch."""
