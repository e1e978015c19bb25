"""The rehearsal's rooms: what is rehearsed (plan, policies), how it runs (stage, loop, invariants), how it tells."""
