"""Class activation maps: where a layer saw what the model says."""
