"""Speed, side by side with a peer in the same run: ``python -m benchmarks``."""
