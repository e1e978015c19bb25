"""Tree recipes: one step after the other, or one LightGBM for all leads."""
