"""The HTTP side of serving. `app.py` puts it together."""
