"""Translates the domain to GraphQL, HTTP and the command line. It decides nothing."""
