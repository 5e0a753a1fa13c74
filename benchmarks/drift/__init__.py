"""Drift on seeded worlds: how often a detector cries wolf, how soon it finds a change; ours beside three that are commonly used."""
