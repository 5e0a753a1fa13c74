"""The language that connectors and the pipeline share: events, batches, topics, partitions, the configuration of an organisation.

Imports nothing else of this product.
"""
