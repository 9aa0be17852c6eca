"""Keras networks: assembling them, running them, explaining them, sharing them among devices."""
