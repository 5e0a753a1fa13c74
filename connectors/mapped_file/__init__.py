"""A connector for files: CSV or JSON lines, read by a YAML mapping that says which columns make which events (docs/CONNECTORS.md)."""
