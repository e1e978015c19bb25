"""The page: lights, figures and charts of a series, and the API described for people."""
