"""Child processes: one that can be killed, and a pool of them."""
