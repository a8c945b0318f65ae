"""Machine-checked proofs that arithmetic built from spiking neurons is bit-exact."""
