"""Readers under bytes that a fuzzer makes up: ``make fuzz``; what it found is kept as seeds."""
