"""Who else says so: adapters to independent implementations of the same arithmetic.

Each adapter is an ``Oracle``; ``reference.oracles.ORACLES`` lists them. From this project they import
``specs.formats`` alone, and no arithmetic of ours.
"""
