"""The whole loop on a virtual clock, with faults."""
