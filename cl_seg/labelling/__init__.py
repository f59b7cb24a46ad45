"""SEED labelling: slices of a new scanner to a person and back, and the model trained on them."""
