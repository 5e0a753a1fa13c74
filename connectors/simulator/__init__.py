"""A municipality that does not exist, as a source: weeks of history that end now, then a live stream, with a planted drift.

Every day of it is drawn from (seed, date) alone, so a restart gives the same events. Everything it sends says that it is simulated.
"""
