"""Training one model on one experience after another, and testing it on every scanner."""
