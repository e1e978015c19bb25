"""From the outside world to hours: sources, and what of their answers is believed."""
