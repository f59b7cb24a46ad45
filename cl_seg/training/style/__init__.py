"""Style augmentation: images as another scanner might show the same bodies."""
