"""The world that a rehearsal plays in: replayed source, faults, a stand-in of GitHub."""
