"""The figures of eight real files, recomputed with polars straight from the files and without any code of the product."""
