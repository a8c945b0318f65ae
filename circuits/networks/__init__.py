"""Networks of neurons: how they are made of netlists, and how they run."""
