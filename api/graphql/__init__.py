"""The GraphQL interface: documents in, readings and operations through the Gate, answers out."""
