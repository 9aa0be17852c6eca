"""Training of a network: validated settings, stages, epochs, steps, metrics, checkpoints."""
