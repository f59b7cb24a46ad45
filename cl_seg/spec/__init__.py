"""Suite files (YAML) as pydantic models, checked whole before anything runs.

Names of networks and strategies are checked against registries handed in by the caller, so that
this room stays free of torch and of every other room.
"""
