"""Saved models on new CT: masks, and what is measured in them. Research only, no medical device."""
