"""Whole circuits written from scratch in other structures than ours, right ones and planted faults.

None uses ``circuits.units``, and none has probes, blocks or cells: they stand for what people bring.
"""
