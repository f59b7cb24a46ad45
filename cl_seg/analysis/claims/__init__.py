"""Claims of a study as contrasts between runs, each with an effect, an interval and a verdict."""
