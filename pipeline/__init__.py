"""The nouns that the root scripts share."""
