"""Benchmarks: what is quoted in the README is measured here, all columns of a table in one run."""
