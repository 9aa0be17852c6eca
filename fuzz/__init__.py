"""Fuzzing of whatever reads files of strangers: ``python -m fuzz.run``."""
