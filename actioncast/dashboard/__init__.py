"""The page: figures, charts and their drawing."""
