"""Programs of units: what layers are made of, as they are built."""
