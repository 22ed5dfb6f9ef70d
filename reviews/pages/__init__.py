"""The pages of reviews, one module for each."""
