"""Documents: sealed in chunks, kept as blobs beside the database, opened only where they verify to their last byte."""
