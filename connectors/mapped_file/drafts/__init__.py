"""First drafts of a mapping and an organisation file, from what the columns of an unknown file look like."""
