"""The command line, a module for each command: thin calls of the public functions."""
