"""Subscriptions: what is watched as it comes, as GraphQL asks for it."""
