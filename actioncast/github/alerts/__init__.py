"""What an incident is made of: its issue, its words, its webhook and the dead man's switch."""
