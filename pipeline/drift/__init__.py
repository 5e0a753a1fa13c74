"""Drift: baseline, score, detector, signals, incidents; all pure. docs/DRIFT.md has the method, its sources and what was measured."""
