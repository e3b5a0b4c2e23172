"""The rows of imports become credit files and credit records, one batch per operation."""
