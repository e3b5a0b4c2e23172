"""The store: tables, transactions and readings of both databases."""
