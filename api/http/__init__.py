"""The HTTP interface: who asks is known before anything is read, and nothing of a request stands in a log."""
