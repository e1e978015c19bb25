"""The page: the same HTML for the API's / and for the static export."""
